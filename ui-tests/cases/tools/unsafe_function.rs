use candle_signature::candle_tool;

#[candle_tool]
unsafe fn peek(address: u64) -> u8 {
    address as u8
}

fn main() {}
