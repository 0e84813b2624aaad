use candle_signature::CandleValue;

#[derive(CandleValue)]
#[value(rename_all = "kebab")]
enum Answer {
    Yes,
    No,
}

fn main() {}
