use candle_signature::example;

fn main() {
    let _ = example! { "question": "input" => "2+2?", "question": "output" => "4" };
}
