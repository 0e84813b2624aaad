use candle_signature::{CandleSignature, CandleValue, example_file};

#[derive(CandleValue)]
enum Mood {
    Calm,
    #[value(alias = "mad")]
    Angry,
}

#[derive(CandleValue)]
enum Step {
    Wait,
    Say(String),
    Call {
        #[value(regex = "[0-9]+")]
        number: String,
        mood: Mood,
    },
}

#[derive(CandleSignature)]
struct Ticket {
    #[output]
    steps: Vec<Step>,
}

fn main() {
    let _ = example_file!("../../../../ui-tests/cases/example_file/nested_unknown_variant.jsonl" as Ticket);
}
