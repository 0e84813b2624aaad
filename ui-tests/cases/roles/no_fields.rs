use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {}

fn main() {}
