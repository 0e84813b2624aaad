use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(default)]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
