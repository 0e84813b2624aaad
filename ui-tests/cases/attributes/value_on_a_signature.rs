use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[value(rename_all = "camelCase")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
