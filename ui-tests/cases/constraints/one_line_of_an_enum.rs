use candle_signature::CandleSignature;

#[derive(candle_signature::CandleValue)]
enum Urgency {
    Low,
    High,
}

#[derive(CandleSignature)]
struct Triage {
    #[output(one_line)]
    urgency: Urgency,
}

fn main() {}
