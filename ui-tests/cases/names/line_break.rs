use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(rename = "an\nswer")]
    answer: String,
}

fn main() {}
