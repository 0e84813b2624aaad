use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: &'static str,
    #[output]
    answer: String,
}

fn main() {}
