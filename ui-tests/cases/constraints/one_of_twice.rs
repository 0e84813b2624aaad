use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(one_of = ["a", "b", "a"])]
    answer: String,
}

fn main() {}
