use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check())]
    answer: String,
}

fn main() {}
