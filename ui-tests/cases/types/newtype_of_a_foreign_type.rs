use candle_signature::CandleValue;

#[derive(CandleValue)]
struct After(std::time::Duration);

fn main() {}
