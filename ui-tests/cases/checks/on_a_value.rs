use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Person {
    #[value(check(|name| !name.is_empty(), "name someone"))]
    name: String,
}

fn main() {}
