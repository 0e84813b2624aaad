use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct Sum {
    #[input]
    question: String,
    #[output]
    reasoning: String,
}

fn needs_reasoning<S: candle_signature::signature::CanReason>() {}

fn main() {
    needs_reasoning::<Sum>();
}
