use candle_signature::candle_tool;

#[candle_tool(nam = "search")]
fn search(query: String) -> String {
    query
}

fn main() {}
