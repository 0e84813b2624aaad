//! Grammars compiled from specs: what they accept, what they refuse, and that replies under them always fit.

mod engine_support;

use std::sync::{Arc, LazyLock};

use candle_signature::engine::{TokenId, Tokenizer};
use candle_signature::grammar::{Constraint, Grammar, GrammarCompiler};
use candle_signature::signature::{
    Bound, Constraint as Demand, FieldSpec, FieldType, FieldValue, PromptFormat, SignatureSpec,
    TypeRef,
};
use engine_support::qwen_tokenizer_json;

static COMPILER: LazyLock<GrammarCompiler> = LazyLock::new(|| {
    let tokenizer = Tokenizer::from_bytes(&qwen_tokenizer_json(), "tokenizer.json").unwrap();
    GrammarCompiler::new(Arc::new(tokenizer), 151_665, TokenId(151_645)).unwrap()
});

fn field<T: FieldValue>(name: &str, demands: Vec<Demand>) -> FieldSpec {
    FieldSpec {
        constraints: demands.into(),
        ..FieldSpec::owned(name, "", TypeRef::of::<T>())
    }
}

fn spec(outputs: Vec<FieldSpec>) -> SignatureSpec {
    SignatureSpec {
        name: "Case".into(),
        instruction: "".into(),
        inputs: vec![field::<String>("input", vec![])].into(),
        outputs: outputs.into(),
        format: PromptFormat::Chat,
    }
}

fn one_field<T: FieldValue>(demands: Vec<Demand>) -> Grammar {
    COMPILER
        .compile(&Constraint::Signature(spec(vec![field::<T>("x", demands)])))
        .unwrap()
}

/// Whether a reply with this value of its only field is in the grammar.
fn takes(grammar: &Grammar, value: &str) -> bool {
    grammar.accepts(&format!("[[ ## x ## ]]\n{value}\n\n[[ ## completed ## ]]"))
}

#[track_caller]
fn check(grammar: &Grammar, right: &[&str], wrong: &[&str]) {
    for value in right {
        assert!(takes(grammar, value), "refuses {value:?}");
    }
    for value in wrong {
        assert!(!takes(grammar, value), "takes {value:?}");
    }
}

#[test]
fn free_text_is_anything_that_opens_no_marker() {
    check(
        &one_field::<String>(vec![]),
        &[
            "Oslo",
            "two\nlines",
            "a\n\nb",
            "a\n\n\n\nb",
            "see [[ ## x ## ]] inline",
            "[[ -f x ]]",
            "\\[[ ## x ## ]]",
            "é ☃ \u{1F600}",
            "#",
            "x\n[[wiki]]",
        ],
        &[
            "",
            " ",
            "\n",
            "[[ ## y ## ]]",
            "a\n[[ ## y ## ]]\nb",
            "a\n  [[##y##]]",
            "a\n**[[ ## y ## ]]**",
        ],
    );
}

#[test]
fn numbers_keep_to_their_type_and_bounds() {
    check(
        &one_field::<u8>(vec![]),
        &["0", "255"],
        &["256", "-1", "1.0", "01", "+1", ""],
    );
    let bounded = vec![Demand::Min(Bound::Int(-5)), Demand::Max(Bound::Int(10))];
    check(
        &one_field::<i64>(bounded),
        &["-5", "0", "10"],
        &["-6", "11", "100"],
    );
    check(
        &one_field::<u128>(vec![]),
        &["340282366920938463463374607431768211455"],
        &["340282366920938463463374607431768211456"],
    );
    check(
        &one_field::<f64>(vec![]),
        &["1.5", "-0.25", "3", "1e10"],
        &["1.", ".5", "NaN", "inf", "1e999"],
    );
    let unit = vec![
        Demand::Min(Bound::Float(0.0)),
        Demand::Max(Bound::Float(1.0)),
    ];
    check(
        &one_field::<f64>(unit),
        &["0.0", "0.5", "1.0", "1"],
        &["1.1", "-0.1", "2"],
    );
}

#[test]
fn values_are_json_as_the_prompt_writes_it() {
    check(
        &one_field::<bool>(vec![]),
        &["true", "false"],
        &["True", "yes", "1"],
    );
    check(
        &one_field::<Option<i64>>(vec![]),
        &["null", "7"],
        &["None", ""],
    );
    check(
        &one_field::<Vec<String>>(vec![]),
        &["[]", "[\"a\"]", "[\"a\", \"b \\\"q\\\"\"]"],
        &["[\"a\",\"b\"]", "[\"a\",]", "[a]", "[\n\"a\"]"],
    );
    check(
        &one_field::<Vec<u8>>(vec![Demand::Len { min: 1, max: 2 }]),
        &["[1]", "[1, 2]"],
        &["[]", "[1, 2, 3]", "[256]"],
    );
    check(
        &one_field::<std::collections::BTreeMap<String, bool>>(vec![]),
        &["{}", "{\"a\": true, \"b\": false}"],
        &["{\"a\": 1}", "{a: true}"],
    );
    check(
        &one_field::<serde_json::Value>(vec![]),
        &["{\"a\": [1, null]}", "3", "\"x\""],
        &["{", "x"],
    );
}

#[test]
fn strings_keep_to_their_shape() {
    let options = Demand::OneOf(vec!["red".into(), "dark blue".into()].into());
    check(
        &one_field::<String>(vec![options]),
        &["red", "dark blue"],
        &["blue", "red "],
    );
    check(
        &one_field::<String>(vec![Demand::Regex("[A-Z]{2}-[0-9]+".into())]),
        &["AB-1"],
        &["AB-", "ab-1", "AB-1\nx"],
    );
    check(
        &one_field::<String>(vec![Demand::Len { min: 2, max: 4 }]),
        &["ab", "abcd", "é☃"],
        &["a", "abcde", " a "],
    );
    check(
        &one_field::<String>(vec![Demand::OneLine]),
        &["one line"],
        &["two\nlines"],
    );
}

#[test]
fn fields_come_in_order_with_their_markers() {
    let outputs = vec![
        field::<String>("reasoning", vec![]),
        field::<i64>("answer", vec![]),
    ];
    let grammar = COMPILER
        .compile(&Constraint::Signature(spec(outputs)))
        .unwrap();
    assert!(grammar.accepts(
        "[[ ## reasoning ## ]]\n2 + 2\n= 4\n\n[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]"
    ));
    assert!(
        !grammar
            .accepts("[[ ## answer ## ]]\n4\n\n[[ ## reasoning ## ]]\nx\n\n[[ ## completed ## ]]")
    );
    assert!(!grammar.accepts("[[ ## reasoning ## ]]\nx\n\n[[ ## answer ## ]]\n4\n"));
}

#[test]
fn a_spec_from_json_has_a_grammar_too() {
    let ty = FieldType::List(candle_signature::signature::ListType {
        item: TypeRef::of::<bool>(),
        kind: candle_signature::signature::ListKind::Array(2),
    });
    let grammar = COMPILER
        .compile(&Constraint::Signature(spec(vec![FieldSpec::owned(
            "x", "", ty,
        )])))
        .unwrap();
    check(
        &grammar,
        &["[true, false]"],
        &["[true]", "[true, true, true]"],
    );
}

#[test]
fn what_can_not_be_satisfied_is_refused() {
    let none = vec![Demand::Min(Bound::Int(5)), Demand::Max(Bound::Int(4))];
    let error = COMPILER
        .compile(&Constraint::Signature(spec(vec![field::<i64>("x", none)])))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "field `x`: no value satisfies its constraints: min is above max"
    );
    let error = COMPILER
        .compile(&Constraint::Lark("start: (".into()))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the grammar does not compile"),
        "{error}"
    );
}

#[test]
fn no_item_of_a_set_and_no_key_comes_twice() {
    use std::collections::{BTreeMap, BTreeSet, HashSet};
    check(
        &one_field::<HashSet<String>>(vec![]),
        &["[]", r#"["a", "b", "ab"]"#, r#"["a\nb", "a\\nb"]"#],
        &[r#"["a", "a"]"#, r#"["", ""]"#, r#"["a/b", "a\/b"]"#],
    );
    check(
        &one_field::<BTreeSet<u8>>(vec![]),
        &["[1, 12, 2]"],
        &["[1, 12, 1]", "[12, 1, 12]"],
    );
    check(
        &one_field::<Vec<bool>>(vec![Demand::Unique]),
        &["[true, false]"],
        &["[true, true]", "[true, false, true]"],
    );
    check(
        &one_field::<Vec<f64>>(vec![Demand::Unique]),
        &["[1.0, 1.5, -1.0]"],
        &["[1.0, 1.0]", "[1.0, 1.00]", "[0.0, -0.0]", "[1]"],
    );
    check(
        &one_field::<Vec<(bool, u8)>>(vec![Demand::Unique]),
        &["[[true, 1], [true, 2], [false, 1]]"],
        &["[[true, 1], [true, 1]]"],
    );
    check(
        &one_field::<BTreeMap<String, BTreeSet<bool>>>(vec![]),
        &[r#"{"a": [true, false], "b": [true]}"#],
        &[r#"{"a": [], "a": []}"#, r#"{"a": [true, true]}"#],
    );
    check(
        &one_field::<serde_json::Value>(vec![]),
        &[r#"{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}"#],
        &[r#"{"a": 1, "a": 2}"#, r#"[{"b": {"a": 1, "a": 1}}]"#],
    );
}

#[test]
fn more_distinct_items_than_there_are_values_are_refused() {
    let refused = |field: FieldSpec| {
        let constraint = Constraint::Signature(spec(vec![field]));
        COMPILER.compile(&constraint).unwrap_err().to_string()
    };
    let three = Demand::Len {
        min: 3,
        max: usize::MAX,
    };
    assert_eq!(
        refused(field::<std::collections::BTreeSet<bool>>(
            "x",
            vec![three.clone()]
        )),
        "field `x`: no value satisfies its constraints: 3 items must differ and only 2 values exist"
    );
    let maps = refused(field::<Vec<std::collections::BTreeMap<String, bool>>>(
        "x",
        vec![Demand::Unique],
    ));
    assert!(maps.contains("can't be kept apart"), "{maps}");
}

#[test]
fn json_nests_no_deeper_than_the_parser_reads() {
    let grammar = one_field::<serde_json::Value>(vec![]);
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(takes(&grammar, &nested(64)));
    assert!(!takes(&grammar, &nested(65)));
}

#[test]
fn dates_are_those_of_the_calendar() {
    check(
        &one_field::<chrono::NaiveDate>(vec![]),
        &["2024-02-29", "2023-12-31", "0000-01-01"],
        &[
            "2023-02-29",
            "2024-04-31",
            "2024-13-01",
            "24-01-01",
            "2024-1-1",
        ],
    );
    check(
        &one_field::<chrono::DateTime<chrono::Utc>>(vec![]),
        &["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.25Z"],
        &["2024-02-29T24:00:00Z", "2024-02-29T23:59:59"],
    );
}

#[test]
fn a_text_is_not_the_prompts_own_words() {
    check(
        &one_field::<String>(vec![]),
        &["{y}", "{x} and more", "Not supplied"],
        &["{x}", " {x} ", "Not supplied for this particular example."],
    );
}

#[test]
fn an_f32_keeps_to_bounds_that_it_can_not_hold() {
    let bound = vec![Demand::Max(Bound::Float(0.123_456_789))];
    check(
        &one_field::<f32>(bound),
        &["0.1234567", "-3"],
        &["0.123456789", "0.1234568"],
    );
}

#[test]
fn structs_of_one_name_are_kept_apart() {
    let parsed = |ty: &str| FieldSpec::owned("x", "", FieldType::from_type_str(ty).unwrap());
    let mut two = parsed(r#"struct P:{"b":"bool"}"#);
    two.name = "y".into();
    let grammar = COMPILER
        .compile(&Constraint::Signature(spec(vec![
            parsed(r#"struct P:{"a":"i64"}"#),
            two,
        ])))
        .unwrap();
    assert!(grammar.accepts(
        "[[ ## x ## ]]\n{\"a\": 1}\n\n[[ ## y ## ]]\n{\"b\": true}\n\n[[ ## completed ## ]]"
    ));
}

#[test]
fn a_grammar_is_known_again_by_its_constraint() {
    let one = Constraint::Signature(spec(vec![field::<u16>("known", vec![])]));
    assert!(COMPILER.compiled(&one).is_none());
    COMPILER.compile(&one).unwrap();
    let equal = Constraint::Signature(spec(vec![field::<u16>("known", vec![])]));
    assert!(COMPILER.compiled(&equal).is_some());
    let other = Constraint::Signature(spec(vec![field::<u32>("known", vec![])]));
    assert!(COMPILER.compiled(&other).is_none());
}

/// Those that come first have a thread each, which computes beside whoever runs them; the rest do without.
#[test]
fn many_replies_at_a_time_are_held_alike() {
    let grammar = one_field::<u8>(vec![]);
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    let mut masks: Vec<_> = (0..most + 3).map(|_| grammar.mask()).collect();
    let mut seen: Vec<Vec<Vec<TokenId>>> = vec![Vec::new(); masks.len()];
    for mask in &mut masks {
        mask.start(100).unwrap();
    }
    for _ in 0..3 {
        for (mask, seen) in masks.iter_mut().zip(&mut seen) {
            let vocabulary = 300;
            let bits = mask.bits(vocabulary).unwrap().unwrap();
            let allowed: Vec<_> = (0..vocabulary as u32)
                .filter(|id| bits[*id as usize / 32] >> (id % 32) & 1 == 1)
                .map(TokenId)
                .collect();
            // A digit that others may follow: "1" is token 16.
            let token = TokenId(16);
            assert!(allowed.contains(&token));
            seen.push(allowed);
            seen.push(mask.accept(token, 90).unwrap().tokens);
        }
    }
    for other in &seen[1..] {
        assert_eq!(*other, seen[0]);
    }
    assert!(seen[0].iter().all(|tokens| !tokens.is_empty()));
}

#[test]
fn what_a_careless_reader_takes_for_a_marker_can_be_kept_out() {
    let outputs = || {
        let list = field::<Vec<String>>("x", vec![]);
        spec(vec![list, field::<String>("y", vec![])])
    };
    let free = COMPILER.compile(&Constraint::Signature(outputs())).unwrap();
    let split = COMPILER
        .compile(&Constraint::SplitSections(outputs()))
        .unwrap();
    let reply = |x: &str, y: &str| {
        format!("[[ ## x ## ]]\n{x}\n\n[[ ## y ## ]]\n{y}\n\n[[ ## completed ## ]]")
    };
    for (x, y, is_split) in [
        (r#"["a [[", "[[ #"]"#, "b [[##\nc", true),
        (r#"["a [[ ## x"]"#, "b", false),
        (r#"["a"]"#, "b [[ ## y", false),
        (r#"["a"]"#, "b\nc [[ ## ]]", false),
    ] {
        assert!(free.accepts(&reply(x, y)), "{x} {y}");
        assert_eq!(split.accepts(&reply(x, y)), is_split, "{x} {y}");
    }
}
