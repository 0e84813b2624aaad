use candle_signature::{CandleSignature, CandleValue, example_file};

#[derive(CandleValue)]
#[value(rename_all = "lowercase")]
enum Urgency {
    Low,
    High,
}

#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output(max = 10)]
    score: u8,
    #[output]
    owner: Option<String>,
}

fn main() {
    let _ = example_file!("../../../../ui-tests/cases/example_file/unknown_field_far_off.jsonl" as Triage);
}
