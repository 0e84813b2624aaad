use candle_signature::examples;

fn main() {
    let _ = examples!["question": "input" => "2+2?", "answer": "output" => "4"];
}
