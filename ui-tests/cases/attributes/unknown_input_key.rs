use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(description = "Asked.")]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
