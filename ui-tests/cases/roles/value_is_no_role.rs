use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[value]
    answer: String,
}

fn main() {}
