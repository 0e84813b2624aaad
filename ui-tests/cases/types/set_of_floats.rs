use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output]
    scores: std::collections::BTreeSet<f64>,
}

fn main() {}
