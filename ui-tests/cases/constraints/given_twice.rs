use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(min = 1, min = 2)]
    score: u8,
}

fn main() {}
