use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check(|text| text.len(), "say more"))]
    answer: String,
}

fn main() {}
