use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Person {
    name: String,
    #[value(skip, rename = "cached")]
    cache: u8,
}

fn main() {}
