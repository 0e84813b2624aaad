use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(skip)]
    answer: String,
}

fn main() {}
