use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(vis = "public")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
