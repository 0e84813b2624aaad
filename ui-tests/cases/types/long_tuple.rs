use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output]
    answer: (u8, u8, u8, u8, u8, u8, u8, u8, u8),
}

fn main() {}
