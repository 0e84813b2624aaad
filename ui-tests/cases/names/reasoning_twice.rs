use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct Sum {
    #[input]
    question: String,
    #[output]
    reasoning: String,
}

fn main() {
    let _ = candle_signature::program::ChainOfThought::<Sum>::new();
}
