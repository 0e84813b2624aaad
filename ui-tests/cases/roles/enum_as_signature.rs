use candle_signature::CandleSignature;

#[derive(CandleSignature)]
enum QA {
    Question,
    Answer,
}

fn main() {}
