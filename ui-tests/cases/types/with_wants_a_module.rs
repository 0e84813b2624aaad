use candle_signature::CandleSignature;

mod seconds {}

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output(with = seconds)]
    after: std::time::Duration,
}

fn main() {}
