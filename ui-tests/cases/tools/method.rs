use candle_signature::candle_tool;

struct Engine;

impl Engine {
    #[candle_tool]
    fn search(&self, query: String) -> String {
        query
    }
}

fn main() {}
