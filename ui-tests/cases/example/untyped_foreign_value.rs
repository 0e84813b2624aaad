use candle_signature::example;

struct Date;

fn main() {
    let _ = example! { "question": "input" => "When?", "answer": "output" => Date };
}
