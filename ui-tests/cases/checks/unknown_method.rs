use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check(|text| text.is_long(), "say more"))]
    answer: String,
}

fn main() {}
