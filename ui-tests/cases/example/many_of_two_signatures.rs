use candle_signature::{CandleSignature, CandleValue, examples};

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

#[derive(CandleSignature)]
struct Other {
    #[output]
    text: String,
}

fn main() {
    let _ = examples![Triage { ticket: "Help!", .. }, Other { text: "a", .. }];
}
