use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(instruction = "a")]
#[signature(instruction = "b")]
struct QA {
    #[output(desc = "Short.", desc = "Long.")]
    answer: String,
}

fn main() {}
