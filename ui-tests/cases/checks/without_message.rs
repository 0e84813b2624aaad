use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check(|text| !text.is_empty()))]
    answer: String,
}

fn main() {}
