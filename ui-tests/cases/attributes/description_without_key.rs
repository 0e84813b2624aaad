use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output("Short.")]
    answer: String,
}

fn main() {}
