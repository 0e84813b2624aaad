use candle_signature::CandleSignature;

fn is_even(number: &i64) -> bool {
    number % 2 == 0
}

#[derive(CandleSignature)]
struct QA {
    #[output(check(is_even, "be even"))]
    answer: String,
}

fn main() {}
