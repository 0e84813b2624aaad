use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Score(#[value(min = 0)] u8);

fn main() {}
