use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Person {
    name: String,
    born: Date,
}

struct Date;

fn main() {}
