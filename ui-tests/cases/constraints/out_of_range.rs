use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(max = 300)]
    score: u8,
    #[output(min = -1)]
    count: u32,
}

fn main() {}
