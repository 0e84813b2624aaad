use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(max = "10")]
    score: u8,
}

fn main() {}
