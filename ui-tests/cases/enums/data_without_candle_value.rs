use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Shape {
    Point,
    At(Place),
}

struct Place;

fn main() {}
