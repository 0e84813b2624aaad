use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(regex = "(?=a)b")]
    answer: String,
}

fn main() {}
