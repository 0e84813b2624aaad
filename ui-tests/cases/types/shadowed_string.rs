use candle_signature::CandleSignature;

// The name alone decides nothing: this `String` is no field type, whatever it is called.
#[derive(Debug, Clone, PartialEq)]
struct String;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[output]
    answer: u8,
}

fn main() {}
