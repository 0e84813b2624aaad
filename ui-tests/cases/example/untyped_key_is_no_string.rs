use candle_signature::example;

fn main() {
    let _ = example! { question: "input" => "2+2?", 7: "output" => "4" };
}
