use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output]
    answer: String,
    #[input]
    question: str,
}

fn main() {}
