use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(rename = "Text")]
    question: String,
    #[output]
    text: String,
}

fn main() {}
