use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(with = seconds, format_with = shout)]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
