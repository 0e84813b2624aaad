//! The three methods of `Adapter` on replies and signatures of every kind: errors that say what is wrong, never a panic.

#![allow(dead_code)]

use std::sync::Arc;

use candle_signature::adapter::CandleAdapterError;
use candle_signature::dspy::{BackendAdapter, DspyError, spec_of};
use candle_signature_tests::Script;
use dspy_rs::adapter::Adapter;
use dspy_rs::{Example, Message, MetaSignature, NoTool, Signature};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::{adapter, call, example, lm, qa, question};

#[Signature]
struct Fact {
    /// Read the text.
    #[input]
    text: String,
    #[output]
    city: String,
    #[output]
    rank: u8,
    #[output]
    tags: Vec<String>,
    #[output]
    note: Option<String>,
}

fn text() -> Example {
    example(&[("text", json!("Oslo."))])
}

#[tokio::test]
async fn format_shows_the_instruction_the_fields_the_demos_and_the_inputs() {
    let mut signature = qa();
    let mut demo = question("Who bakes?");
    demo.data.insert("answer".into(), json!("Nora"));
    signature.set_demos(vec![demo]).unwrap();
    let chat = adapter().await.format(&signature, question("Who flies?"));
    let said: Vec<_> = chat
        .messages
        .iter()
        .map(|m| (m.to_json()["role"].clone(), m.content()))
        .collect();
    let roles: Vec<_> = said.iter().map(|(role, _)| role.clone()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    for part in [
        "1. `passage` (str): Text to read.",
        "1. `answer` (str): A short answer.",
        "Answer the question from the passage.",
    ] {
        assert!(said[0].1.contains(part), "{part} is not in {}", said[0].1);
    }
    assert!(said[1].1.contains("Who bakes?"));
    assert_eq!(
        said[2].1,
        "[[ ## answer ## ]]\nNora\n\n[[ ## completed ## ]]"
    );
    assert!(said[3].1.contains("[[ ## question ## ]]\nWho flies?"));
}

#[tokio::test]
async fn the_request_is_held_to_the_outputs() {
    let adapter = adapter().await;
    // A grammar of the embedded model accepts what the schema does, and nothing else.
    let spec = spec_of(&Fact::new()).unwrap();
    let constraint = candle_signature::adapter::Constraint::Signature(spec);
    let grammar = adapter.model().grammars().compile(&constraint).unwrap();
    let reply = |rank: &str| {
        format!(
            "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n{rank}\n\n[[ ## tags ## ]]\n[\"a\"]\n\n[[ ## note ## ]]\nnull\n\n[[ ## completed ## ]]"
        )
    };
    assert!(grammar.accepts(&reply("255")));
    assert!(!grammar.accepts(&reply("256")) && !grammar.accepts(&reply("many")));
}

#[tokio::test]
async fn a_reply_is_read_by_our_parser() {
    let reply = "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n```json\n3\n```\n\n[[ ## tags ## ]]\n['a', 'b',]\n\n[[ ## completed ## ]]";
    let prediction = call(Script::new(&[reply]), &Fact::new(), text())
        .await
        .unwrap();
    assert_eq!(prediction.get("city", None), "Oslo");
    assert_eq!(prediction.get("rank", None), 3);
    assert_eq!(prediction.get("tags", None), json!(["a", "b"]));
    assert_eq!(prediction.get("note", None), Json::Null);
    let usage = prediction.lm_usage;
    assert_eq!(
        (
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.total_tokens
        ),
        (10, 5, 15)
    );
}

#[tokio::test]
async fn a_missing_field_and_a_wrong_value_are_errors_that_keep_the_rest() {
    let reply = "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\nabout seven\n\n[[ ## completed ## ]]";
    let error = call(Script::new(&[reply]), &Fact::new(), text())
        .await
        .unwrap_err();
    let Some(DspyError::Adapter(CandleAdapterError::ParseError(parse))) = error.downcast_ref()
    else {
        panic!("{error:?}");
    };
    let faults: Vec<_> = parse
        .errors
        .iter()
        .map(|e| (&*e.field, e.kind.class()))
        .collect();
    assert_eq!(faults, [("rank", "type"), ("tags", "missing")]);
    assert_eq!(
        parse.partial.get("city"),
        Some(&candle_signature::signature::Value::String("Oslo".into()))
    );
    assert!(error.to_string().contains("field `rank`"), "{error}");
    let read =
        BackendAdapter(Script::default()).parse_response(&Fact::new(), Message::assistant(reply));
    assert_eq!(read.get("city"), Some(&json!("Oslo")));
    assert!(!read.contains_key("rank") && !read.contains_key("tags"));
}

#[tokio::test]
async fn a_missing_input_is_named() {
    let error = call(Script::new(&[]), &qa(), example(&[("passage", json!("x"))]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the example has no value for the input `question`: it has `passage`"
    );
}

#[tokio::test]
async fn tools_are_refused_with_the_way_to_run_them() {
    let (adapter, lm) = (BackendAdapter(Script::default()), Arc::new(lm().await));
    let error = adapter
        .call(lm, &qa(), question("Who?"), vec![Arc::new(NoTool)])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("`no_tool`") && error.to_string().contains("ReAct"),
        "{error}"
    );
}

/// A `MetaSignature` that says whatever it is told to.
struct Told {
    inputs: Json,
    outputs: Json,
}

impl MetaSignature for Told {
    fn demos(&self) -> Vec<Example> {
        vec![Example::default(), text()]
    }
    fn set_demos(&mut self, _: Vec<Example>) -> anyhow::Result<()> {
        Ok(())
    }
    fn instruction(&self) -> String {
        String::new()
    }
    fn input_fields(&self) -> Json {
        self.inputs.clone()
    }
    fn output_fields(&self) -> Json {
        self.outputs.clone()
    }
    fn update_instruction(&mut self, _: String) -> anyhow::Result<()> {
        Ok(())
    }
    fn append(&mut self, _: &str, _: Json) -> anyhow::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_malformed_signature_is_an_error_that_names_the_field() {
    let string = json!({"type": "String"});
    let cases = [
        (Json::Null, json!({"a": string}), "input_fields"),
        (json!({}), json!([string]), "output_fields"),
        (json!({}), json!({}), "at least one output"),
        (
            json!({"a": string}),
            json!({"a": string}),
            "two fields are named `a`",
        ),
        (json!({}), json!({"a]]": string}), "[[ ## name ## ]]"),
        (
            json!({}),
            json!({"a": {"type": "Person", "schema": ""}}),
            "output `a`: unknown type `Person`",
        ),
        (
            json!({}),
            json!({"a": {"type": 3}}),
            "its `type` is a string, not `3`",
        ),
        (
            json!({}),
            json!({"a": {"type": "P", "schema": "{"}}),
            "its `schema` is no JSON",
        ),
    ];
    for (inputs, outputs, said) in cases {
        let told = Told { inputs, outputs };
        let error = call(Script::new(&[]), &told, text()).await.unwrap_err();
        assert!(
            matches!(error.downcast_ref(), Some(DspyError::Signature { .. })),
            "{error:?}"
        );
        assert!(
            error.to_string().contains(said),
            "{said:?} is not in {error}"
        );
        // dspy-rs's own code takes the first message and the last, and panics without.
        let adapter = BackendAdapter(Script::default());
        let chat = adapter.format(&told, text());
        assert!(chat.messages[0].content().contains(said));
        chat.get_rig_messages();
        assert!(
            adapter
                .parse_response(&told, Message::assistant("x"))
                .is_empty()
        );
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(vec![
            "",
            "String",
            "u8",
            "Vec < String >",
            "Foo",
            "object",
            "array",
            "string",
            "integer",
            "null",
            "#/$defs/a",
            "a",
        ])
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let key = prop::sample::select(vec![
            "type",
            "schema",
            "desc",
            "properties",
            "items",
            "anyOf",
            "oneOf",
            "enum",
            "const",
            "$ref",
            "$defs",
            "a",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "format",
            "pattern",
            "prefixItems",
            "default",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|entries| {
                entries
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_reply_makes_it_panic(reply in "(\\PC|\\n|\\[\\[ ## (city|rank|tags|note|completed) ## \\]\\]\\n){0,60}") {
        let adapter = BackendAdapter(Script::default());
        let read = adapter.parse_response(&Fact::new(), Message::assistant(reply));
        prop_assert!(read.len() <= 4);
    }

    #[test]
    fn no_signature_makes_it_panic(schema in any_json(), field in any_json(), reply in "\\PC{0,40}") {
        let outputs = json!({"f": {"type": "Foo", "schema": schema}, "g": field});
        let told = Told { inputs: json!({}), outputs };
        let adapter = BackendAdapter(Script::default());
        prop_assert!(!adapter.format(&told, text()).messages.is_empty());
        adapter.parse_response(&told, Message::assistant(reply));
    }
}
