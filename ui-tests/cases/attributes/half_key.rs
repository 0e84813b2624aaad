use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(output(derives(Eq)), input = "x")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
