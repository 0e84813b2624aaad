use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Nothing;

fn main() {}
