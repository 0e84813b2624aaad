use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Shape {
    Point,
    Rectangle(f64, f64),
}

fn main() {}
