use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[output(rename = "Completed")]
    done: bool,
}

fn main() {}
