use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Pair(u8, u8);

fn main() {}
