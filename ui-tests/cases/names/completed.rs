use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output]
    completed: bool,
}

fn main() {}
