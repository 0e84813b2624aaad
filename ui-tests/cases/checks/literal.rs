use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check(true, "say more"))]
    answer: String,
}

fn main() {}
