use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(len = 5..=1)]
    answer: String,
}

fn main() {}
