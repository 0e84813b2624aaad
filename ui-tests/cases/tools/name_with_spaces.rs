use candle_signature::candle_tool;

#[candle_tool(name = "web search")]
fn search(query: String) -> String {
    query
}

fn main() {}
