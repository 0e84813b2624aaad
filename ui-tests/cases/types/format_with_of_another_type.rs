use candle_signature::CandleSignature;

fn shout(text: &u8) -> String {
    text.to_string()
}

#[derive(CandleSignature)]
struct QA {
    #[input(format_with = shout)]
    question: String,
    #[output]
    answer: String,
}

fn main() {}
