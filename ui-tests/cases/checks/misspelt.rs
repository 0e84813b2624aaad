use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(chek(|text| !text.is_empty(), "say more"))]
    answer: String,
}

fn main() {}
