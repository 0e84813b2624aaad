use candle_signature::CandleValue;

#[derive(CandleValue)]
#[value(alias = "y")]
enum Answer {
    Yes,
    No,
}

fn main() {}
