use candle_signature::CandleSignature;

struct Urgency;

#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
}

fn main() {}
