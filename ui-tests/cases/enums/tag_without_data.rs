use candle_signature::CandleValue;

#[derive(CandleValue)]
#[value(tag = "kind")]
enum Answer {
    Yes,
    No,
}

fn main() {}
