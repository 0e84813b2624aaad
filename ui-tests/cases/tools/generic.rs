use candle_signature::candle_tool;

#[candle_tool]
fn search<T: ToString>(query: T) -> String {
    query.to_string()
}

fn main() {}
