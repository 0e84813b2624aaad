use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(min = 10, max = 1)]
    score: u8,
}

fn main() {}
