use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(format_with = shout)]
    answer: String,
}

fn main() {}
