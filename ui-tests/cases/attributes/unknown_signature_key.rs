use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(rename_al = "camelCase")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
