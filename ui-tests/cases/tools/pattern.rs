use candle_signature::candle_tool;

#[candle_tool]
fn add((a, b): (u8, u8)) -> u8 {
    a + b
}

fn main() {}
