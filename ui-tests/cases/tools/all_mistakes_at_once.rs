use candle_signature::candle_tool;

#[candle_tool(naem = "x")]
fn search(#[arg(mn = 1)] limit: u8, query: &[String], (a, b): (u8, u8)) -> String {
    format!("{limit}{query:?}{a}{b}")
}

fn main() {}
