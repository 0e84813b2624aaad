use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(len = 0..0)]
    answer: String,
}

fn main() {}
