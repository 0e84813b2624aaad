use candle_signature::CandleValue;

#[derive(CandleValue)]
enum Shape {
    Point,
    Circle { r#type: String, radius: f64 },
}

fn main() {}
