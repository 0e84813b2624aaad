use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(min = 0.5)]
    score: u8,
}

fn main() {}
