use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(temperature = 0.5)]
    answer: String,
}

fn main() {}
