use candle_signature::candle_tool;

struct Broken;

#[candle_tool]
fn today() -> Result<String, Broken> {
    Err(Broken)
}

fn main() {}
