use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(crate = "not a path")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
