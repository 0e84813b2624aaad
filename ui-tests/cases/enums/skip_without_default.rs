use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Person {
    name: String,
    #[value(skip)]
    cache: Cache,
}

struct Cache;

fn main() {}
