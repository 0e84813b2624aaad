use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(format = "chatt")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
