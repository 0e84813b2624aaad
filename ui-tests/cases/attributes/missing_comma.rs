use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(one_line desc = "Short.")]
    answer: String,
}

fn main() {}
