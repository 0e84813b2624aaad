use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(format = "xml")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
