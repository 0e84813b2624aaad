use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(rename = "text")]
    question: String,
    #[output(rename = "text")]
    answer: String,
}

fn main() {}
