use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(vis = "pub(crate)")]
pub struct QA {
    #[output]
    answer: String,
}

fn main() {}
