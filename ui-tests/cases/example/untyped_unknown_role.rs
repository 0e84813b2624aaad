use candle_signature::example;

fn main() {
    let _ = example! { "question": "inptu" => "2+2?", "answer": "label" => "4" };
}
