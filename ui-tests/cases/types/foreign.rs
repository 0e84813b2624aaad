use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output]
    after: std::time::Duration,
}

fn main() {}
