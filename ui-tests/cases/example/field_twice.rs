use candle_signature::{CandleSignature, CandleValue, example};

#[derive(CandleValue)]
enum Urgency {
    Low,
    High,
}

#[derive(CandleSignature)]
struct Triage {
    #[input(len = 1..=20)]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output(max = 10)]
    score: u8,
    #[output(unique, rename = "labels")]
    tags: Vec<String>,
    #[output(regex = "[A-Z][a-z]+")]
    owner: Option<String>,
}

fn main() {
    let _ = example!(Triage { ticket: "Help!", ticket: "Help!", .. });
}
