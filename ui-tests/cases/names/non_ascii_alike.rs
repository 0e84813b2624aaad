use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input(rename = "ÄRGER")]
    frage: String,
    #[output]
    ärger: String,
}

fn main() {}
