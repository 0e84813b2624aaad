use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Answer {
    #[value(rename = "maybe")]
    Yes,
    #[value(rename = "maybe")]
    No,
}

fn main() {}
