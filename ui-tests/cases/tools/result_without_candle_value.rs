use candle_signature::candle_tool;

struct Date;

#[candle_tool]
fn today() -> Date {
    Date
}

fn main() {}
