use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(min = 1)]
    answer: String,
}

fn main() {}
