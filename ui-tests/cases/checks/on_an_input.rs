use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(check(|text| !text.is_empty(), "say something"))]
    answer: String,
    #[output]
    other: String,
}

fn main() {}
