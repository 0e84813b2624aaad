use candle_signature::CandleSignature;

const LIMIT: usize = 3;

#[derive(CandleSignature)]
struct QA {
    #[output(check(LIMIT, "be within the limit"))]
    answer: String,
}

fn main() {}
