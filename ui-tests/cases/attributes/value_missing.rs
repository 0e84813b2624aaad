use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(desc)]
    answer: String,
    #[output(rename = )]
    note: String,
}

fn main() {}
