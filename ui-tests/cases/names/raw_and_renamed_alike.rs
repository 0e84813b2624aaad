use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    r#type: String,
    #[output(rename = "type")]
    answer: String,
}

fn main() {}
