use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(one_of = [])]
    answer: String,
}

fn main() {}
