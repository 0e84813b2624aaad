use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Answer {
    Yes,
    #[value(alias = "yes")]
    No,
}

fn main() {}
