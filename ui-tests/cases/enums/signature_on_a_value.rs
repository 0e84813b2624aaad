use candle_signature::CandleValue;

#[derive(CandleValue)]
#[signature(rename_all = "camelCase")]
struct Person {
    name: String,
}

fn main() {}
