use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    #[input(desc = "Asked.")]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
