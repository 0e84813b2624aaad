use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct Extract<T> {
    #[input]
    text: String,
    #[output]
    item: T,
}

struct Date;

fn main() {
    let _ = Extract::<Date>::format(ExtractInput { text: "Today.".into() });
}
