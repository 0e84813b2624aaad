use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output]
    answer: fn(u8) -> u8,
}

fn main() {}
