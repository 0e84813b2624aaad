use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Urgency {
    Low,
    High,
}

fn main() {
    let _ = Urgency::Hihg;
}
