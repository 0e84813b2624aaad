use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(assert)]
    answer: String,
}

fn main() {}
