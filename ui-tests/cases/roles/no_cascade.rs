use candle_signature::CandleSignature;

#[derive(CandleSignature)]
struct QA {
    #[input]
    question: String,
    #[ouput]
    answer: String,
}

async fn used_elsewhere<B: candle_signature::adapter::Backend>(backend: &B) -> String {
    let _ = QA::format(QAInput { question: "Why?".into() });
    let parsed = QA::parse("Because.").map(|output| output.answer);
    let _ = candle_signature::example!(QA { question: "Why?", answer: "Because." });
    match QA::predict(backend, QAInput { question: "Why?".into() }).await {
        Ok(output) => output.answer.clone(),
        Err(_) => parsed.unwrap_or_default(),
    }
}

fn main() {}
