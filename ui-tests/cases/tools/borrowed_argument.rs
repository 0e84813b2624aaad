use candle_signature::candle_tool;

#[candle_tool]
fn sum(numbers: &[f64]) -> f64 {
    numbers.iter().sum()
}

fn main() {}
