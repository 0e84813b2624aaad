use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(regex = "[a-z")]
    answer: String,
}

fn main() {}
