use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA<'a> {
    #[input]
    question: &'a str,
    #[output]
    answer: String,
}

fn main() {}
