use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct Extract<T> {
    #[input]
    text: String,
    #[ouput]
    item: T,
}

fn main() {}
