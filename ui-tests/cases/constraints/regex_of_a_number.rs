use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(regex = "[0-9]+")]
    score: u8,
}

fn main() {}
