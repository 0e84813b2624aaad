use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA(String, String);

fn main() {}
