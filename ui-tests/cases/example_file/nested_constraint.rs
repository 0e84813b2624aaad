use candle_signature::{CandleSignature, CandleValue, example_file};

#[derive(CandleValue)]
struct Person {
    name: String,
    #[value(max = 150, default = 18)]
    age: u8,
    boss: Option<Box<Person>>,
}

#[derive(CandleSignature)]
struct Ticket {
    #[output]
    owner: Person,
}

fn main() {
    let _ = example_file!("../../../../ui-tests/cases/example_file/nested_constraint.jsonl" as Ticket);
}
