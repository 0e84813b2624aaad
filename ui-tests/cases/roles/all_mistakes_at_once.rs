use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(formt = "json")]
struct QA {
    #[input(descr = "Asked.")]
    question: &'static str,
    #[ouput]
    answer: String,
    note: String,
    #[output(min = 5, max = 1)]
    score: u8,
}

fn main() {}
