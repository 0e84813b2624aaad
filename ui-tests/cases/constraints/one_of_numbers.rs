use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(one_of = [1, 2])]
    answer: String,
}

fn main() {}
