use candle_signature::example;

fn main() {
    let _ = example! {};
}
