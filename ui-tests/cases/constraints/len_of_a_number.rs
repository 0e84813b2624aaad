use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(len = 1..=5)]
    score: u8,
}

fn main() {}
