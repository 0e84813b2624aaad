use candle_signature::example;

struct Plain {
    text: String,
}

fn main() {
    let _ = example!(Plain { text: "a" });
}
