use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(check(answer.len() > 3, "say more"))]
    answer: String,
}

fn main() {}
