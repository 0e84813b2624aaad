use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Urgency {}

fn main() {}
