use candle_signature::CandleSignature;

#[derive(CandleSignature)]
#[signature(rename_all = "kebab_case")]
struct QA {
    #[output]
    answer: String,
}

fn main() {}
