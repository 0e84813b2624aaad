use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(desc = 3)]
    answer: String,
}

fn main() {}
