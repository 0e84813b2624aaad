//! What a prediction knows of each field: which tokens are whose, what was mended, what was cut off.

use candle_signature::CandleSignature;
use candle_signature::adapter::{
    Backend, CandleAdapterError, Completion, CompletionRequest, CompletionToken, Finish, Usage,
};
use candle_signature::parse::RepairKind;
use candle_signature::program::Predicted;
use futures::executor::block_on;

/// Find the place.
#[derive(CandleSignature)]
struct Find {
    #[input]
    text: String,
    #[output]
    city: String,
    #[output]
    rank: i64,
    #[output]
    note: Option<String>,
}

/// Gives one completion.
struct Fixed(Completion);

impl Backend for Fixed {
    async fn complete(&self, _: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        Ok(self.0.clone())
    }
}

/// A completion of these tokens; a forced one has no log-probability.
fn completion(tokens: &[(&str, Option<f32>)]) -> Completion {
    let text: String = tokens.iter().map(|(text, _)| *text).collect();
    let mut completion = Completion::new(text, Usage::default(), Finish::Stop);
    let tokens = tokens.iter();
    completion.tokens = tokens
        .map(|(text, logprob)| CompletionToken::new(text.len(), *logprob))
        .collect();
    completion
}

fn found(completion: Completion) -> Predicted<FindOutput> {
    let input = FindInput {
        text: String::new(),
    };
    block_on(Find::predict(&Fixed(completion), input)).expect("a reply that parses")
}

const CITY: (&str, Option<f32>) = ("[[ ## city ## ]]\n", None);
const RANK: (&str, Option<f32>) = ("[[ ## rank ## ]]\n", None);
const END: (&str, Option<f32>) = ("[[ ## completed ## ]]\n", None);

#[test]
fn a_field_has_the_tokens_of_its_text() {
    let out = found(completion(&[
        CITY,
        ("Os", Some(-1.0)),
        ("lo", Some(-2.0)),
        ("\n\n", Some(-50.0)),
        RANK,
        ("1", Some(-0.5)),
        ("2", None),
        (",\n", Some(-0.25)),
        ("\n", Some(-40.0)),
        END,
    ]));
    let city = out.meta("city");
    assert_eq!(city.raw, Some("Oslo"));
    assert_eq!(
        (city.mean_logprob, city.min_logprob),
        (Some(-1.5), Some(-2.0))
    );
    assert!(city.repairs.is_empty() && !city.truncated && !city.constrained);
    // The comma is part of the text, though not of the number, and its token reaches beyond it.
    let rank = out.meta("rank");
    assert_eq!((out.rank, rank.raw), (12, Some("12,")));
    assert_eq!(
        (rank.mean_logprob, rank.min_logprob),
        (Some(-0.375), Some(-0.5))
    );
    let kinds: Vec<_> = rank.repairs.iter().map(|repair| repair.kind).collect();
    assert_eq!(kinds, [RepairKind::Punctuation]);
    for left_out in ["note", "no such field"] {
        let meta = out.meta(left_out);
        assert!(meta.raw.is_none() && meta.mean_logprob.is_none() && !meta.truncated);
    }
}

#[test]
fn tokens_that_are_parts_of_characters_count_where_the_character_stands() {
    let mut reply = completion(&[
        CITY,
        ("Å", Some(-1.0)),
        ("\n", Some(-9.0)),
        RANK,
        ("1\n", None),
        END,
    ]);
    // The character was written by two tokens, of which the first shows nothing.
    reply.tokens.insert(1, CompletionToken::new(0, Some(-3.0)));
    let out = found(reply);
    let city = out.meta("city");
    assert_eq!(
        (city.mean_logprob, city.min_logprob),
        (Some(-2.0), Some(-3.0))
    );
    // All of its tokens were forced.
    assert_eq!(out.meta("rank").mean_logprob, None);
}

#[test]
fn a_backend_that_tells_no_tokens_gives_no_probabilities() {
    let mut reply = completion(&[CITY, ("Oslo\n", Some(-1.0)), RANK, ("1\n", Some(-1.0)), END]);
    reply.tokens.clear();
    let out = found(reply);
    assert_eq!(out.meta("city").raw, Some("Oslo"));
    assert_eq!(out.meta("city").mean_logprob, None);
}

#[test]
fn json_fields_have_their_tokens_too() {
    let out = found(completion(&[
        ("{\"city\": ", None),
        ("\"Oslo\"", Some(-1.0)),
        (", \"rank\": ", None),
        ("3", Some(-4.0)),
        ("}", Some(-9.0)),
    ]));
    assert_eq!(out.meta("city").mean_logprob, Some(-1.0));
    assert_eq!(out.meta("rank").mean_logprob, Some(-4.0));
}

#[test]
fn what_was_cut_short_says_so() {
    let tokens = [
        CITY,
        ("Oslo is", Some(-1.0)),
        ("\n\n", None),
        RANK,
        ("0\n\n", None),
        END,
    ];
    let mut reply = completion(&tokens);
    reply.constrained = true;
    reply.closed_at = Some("[[ ## city ## ]]\nOslo is".len());
    let out = found(reply);
    assert_eq!(out.truncated(), Some("city"));
    for (field, truncated) in [("city", true), ("rank", true), ("note", false)] {
        assert_eq!(out.meta(field).truncated, truncated, "{field}");
        assert!(out.meta(field).constrained);
    }
    // In JSON there is no marker to tell the field by.
    let mut reply = completion(&[("{\"city\": \"Os", None), ("\", \"rank\": 0}", None)]);
    reply.closed_at = Some("{\"city\": \"Os".len());
    assert_eq!(found(reply).truncated(), Some("city"));
    // Without a grammar the last field is cut where the tokens end.
    let mut reply = completion(&[CITY, ("Oslo\n", None), RANK, ("12", None)]);
    reply.finish = Finish::Length;
    let out = found(reply);
    assert_eq!(out.truncated(), None);
    assert!(out.meta("rank").truncated && !out.meta("city").truncated);
}
