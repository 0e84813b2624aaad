use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(one_line = true)]
    answer: String,
}

fn main() {}
