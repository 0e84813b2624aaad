use candle_signature::CandleValue;

#[derive(CandleValue)]
struct Person<'a> {
    name: std::borrow::Cow<'a, str>,
}

fn main() {}
