use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[ouput]
    answer: String,
}

fn main() {}
