use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[inputt]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
