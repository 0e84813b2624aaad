use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(default = "none")]
    score: u8,
}

fn main() {}
