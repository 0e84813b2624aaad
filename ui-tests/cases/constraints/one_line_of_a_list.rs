use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(one_line)]
    answers: Vec<String>,
}

fn main() {}
