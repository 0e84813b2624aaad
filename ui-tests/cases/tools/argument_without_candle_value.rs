use candle_signature::candle_tool;

struct Date;

#[candle_tool]
fn weather(day: Date) -> String {
    let _ = day;
    String::new()
}

fn main() {}
