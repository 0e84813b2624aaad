use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(rename = "")]
    answer: String,
}

fn main() {}
