use candle_signature::candle_tool;

#[candle_tool]
struct Search;

fn main() {}
