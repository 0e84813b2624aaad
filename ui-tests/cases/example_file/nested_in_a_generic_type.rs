use candle_signature::{CandleSignature, CandleValue, example_file};

#[derive(CandleValue)]
struct Person {
    name: String,
    #[value(max = 150, default = 18)]
    age: u8,
    boss: Option<Box<Person>>,
}

#[derive(CandleValue)]
struct Pair<T> {
    left: T,
    right: Vec<T>,
}

#[derive(CandleSignature)]
struct Ticket {
    #[output]
    pair: Pair<Person>,
}

fn main() {
    let _ = example_file!("../../../../ui-tests/cases/example_file/nested_in_a_generic_type.jsonl" as Ticket);
}
