use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Answer {
    #[value(alias = "Yes")]
    Yes,
    No,
}

fn main() {}
