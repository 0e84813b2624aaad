use candle_signature::candle_tool;

#[candle_tool]
fn search(#[arg(dsc = "What for.", min = 1)] query: String) -> String {
    query
}

fn main() {}
