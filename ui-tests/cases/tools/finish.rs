use candle_signature::candle_tool;

#[candle_tool]
fn finish() {}

fn main() {}
