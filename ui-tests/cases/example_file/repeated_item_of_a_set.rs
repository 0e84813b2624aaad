use candle_signature::{CandleSignature, example_file};

#[derive(CandleSignature)]
struct Ticket {
    #[output]
    tags: std::collections::BTreeSet<String>,
}

fn main() {
    let _ = example_file!("../../../../ui-tests/cases/example_file/repeated_item_of_a_set.jsonl" as Ticket);
}
