use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check(|a, b| a == b, "be alike"))]
    answer: String,
}

fn main() {}
