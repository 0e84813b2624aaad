use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    questions: Vec<Option<&'static str>>,
    #[output]
    answer: String,
}

fn main() {}
