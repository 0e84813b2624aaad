use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(unique)]
    tags: std::collections::BTreeSet<String>,
}

fn main() {}
