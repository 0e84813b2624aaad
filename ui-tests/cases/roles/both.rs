use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[input]
    #[output]
    answer: String,
}

fn main() {}
