use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Answer {
    #[value(aliass = "y")]
    Yes,
    No,
}

fn main() {}
