use candle_signature::CandleSignature;

#[derive(CandleSignature)]
union QA {
    question: u8,
    answer: i8,
}

fn main() {}
