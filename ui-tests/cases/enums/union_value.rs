use candle_signature::CandleValue;

#[derive(CandleValue)]
union Either {
    a: u8,
    b: i8,
}

fn main() {}
