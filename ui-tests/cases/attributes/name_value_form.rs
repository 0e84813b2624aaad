use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input = "Asked."]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
