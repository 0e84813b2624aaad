use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output]
    scores: std::collections::HashMap<u8, f64>,
}

fn main() {}
