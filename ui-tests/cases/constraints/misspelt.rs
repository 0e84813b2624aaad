use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(oneline, mx = 3)]
    answer: String,
}

fn main() {}
