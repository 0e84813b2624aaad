use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Person {
    #[input]
    name: String,
}

fn main() {}
