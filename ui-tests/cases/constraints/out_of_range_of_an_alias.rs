use candle_signature::CandleSignature;

type Score = u8;

#[derive(CandleSignature)]
struct QA {
    #[output(max = 300)]
    score: Score,
}

fn main() {}
