use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(len = "short")]
    answer: String,
}

fn main() {}
