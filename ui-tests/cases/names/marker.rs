use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(rename = "a ## ]]")]
    answer: String,
}

fn main() {}
