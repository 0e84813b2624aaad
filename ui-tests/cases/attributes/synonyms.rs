use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(prompt = "Answer.")]
struct QA {
    #[output(maximum = 3, choices = ["a"])]
    score: u8,
}

fn main() {}
