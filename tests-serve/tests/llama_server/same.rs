//! What llama-server replies is what this engine replies.

use std::path::{Path, PathBuf};

use candle_signature::adapter::{CompletionRequest, Finish};
use candle_signature::engine::{TokenId, Tokenizer};
use candle_signature::program::{ChainOfThought, StreamEvent};
use candle_signature::remote::{Guidance, RemoteConfig};
use futures::StreamExt as _;
use serde_json::{Value as Json, json};

use super::support::{Llama, QA, QAInput, local, logprobs_cover_the_text, nora, post};

/// A file of the embedded model's.
fn embedded(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/models/embedded");
    folder.join(name)
}

/// Prompts and PyTorch's greedy replies, as tokens.
fn goldens() -> Vec<Json> {
    let path = embedded("goldens.jsonl");
    let text = std::fs::read_to_string(path).expect("the goldens");
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON")
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_prompts_tokens_give_the_goldens_tokens() {
    let llama = Llama::new().await;
    let goldens = goldens();
    let mut same = 0;
    for golden in &goldens {
        let reply = golden["reply"].as_array().expect("tokens");
        let body = json!({
            "prompt": golden["prompt"], "temperature": 0, "n_predict": reply.len(), "return_tokens": true,
        });
        let (status, answer) = post(llama.address, "/completion", &body)
            .await
            .expect("sent");
        assert_eq!(status, 200, "{answer}");
        same += usize::from(answer["tokens"] == golden["reply"]);
    }
    println!(
        "{same} of {} replies to tokens are PyTorch's",
        goldens.len()
    );
    assert_eq!(same, goldens.len());
}

/// The same prompts as text, which llama.cpp splits in nearly the model's way.
#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_prompts_text_gives_nearly_all_of_them() {
    let llama = Llama::new().await;
    let json = std::fs::read(embedded("tokenizer.json")).expect("a tokenizer");
    let tokenizer = Tokenizer::from_bytes(&json, "tokenizer.json").expect("a tokenizer");
    let (goldens, mut same_tokens, mut same_replies) = (goldens(), 0, 0);
    for golden in &goldens {
        let ids = golden["prompt"].as_array().expect("tokens").iter();
        let bytes = ids.flat_map(|id| {
            let id = u32::try_from(id.as_u64().expect("an id")).expect("an id");
            tokenizer.token_bytes(TokenId(id)).expect("a token")
        });
        let text = String::from_utf8(bytes.collect()).expect("text");
        let body = json!({"content": text, "parse_special": true});
        let (_, answer) = post(llama.address, "/tokenize", &body).await.expect("sent");
        same_tokens += usize::from(answer["tokens"] == golden["prompt"]);
        let most = golden["reply"].as_array().expect("tokens").len();
        let body =
            json!({"prompt": text, "temperature": 0, "n_predict": most, "return_tokens": true});
        let (_, answer) = post(llama.address, "/completion", &body)
            .await
            .expect("sent");
        same_replies += usize::from(answer["tokens"] == golden["reply"]);
    }
    println!(
        "of {} texts {same_tokens} have the model's tokens, {same_replies} PyTorch's reply",
        goldens.len()
    );
    assert!(same_tokens >= 20 && same_replies >= 38);
}

/// Signatures' prompts, as text: the export comes near to the model's way of splitting it.
#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_prediction_is_the_local_one() {
    let llama = Llama::new().await;
    let (local, remote) = (local().await, llama.backend(Guidance::None));
    for (passage, question, answer) in [
        (
            "Nora is a baker from Lisbon.",
            "Where is Nora from?",
            "Lisbon",
        ),
        ("Ana lives in Rome.", "Where does Ana live?", "Rome"),
        (
            "Oskar was born in 1984 and works as a teacher in Oslo.",
            "What does Oskar work as?",
            "teacher",
        ),
    ] {
        let input = || QAInput {
            passage: passage.into(),
            question: question.into(),
        };
        let (here, there) =
            tokio::join!(QA::predict(&local, input()), QA::predict(&remote, input()));
        let (here, there) = (here.expect("here"), there.expect("there"));
        println!(
            "{question:?} here {:?} there {:?}",
            here.answer, there.answer
        );
        assert_eq!(there.answer, answer);
        assert_eq!(there.raw(), here.raw());
        assert_eq!(there.usage().prompt_tokens, here.usage().prompt_tokens);
        assert_eq!(
            (there.finish(), here.finish()),
            (Finish::Stop, Finish::Stop)
        );
    }
    let program = ChainOfThought::<QA>::new();
    let (here, there) = tokio::join!(program.call(&local, nora()), program.call(&remote, nora()));
    assert_eq!(there.expect("there").raw(), here.expect("here").raw());
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_stream_tells_fields_while_they_come() {
    let llama = Llama::new().await;
    let remote = llama.backend(Guidance::None);
    let mut events = QA::stream(&remote, nora());
    let (mut told, mut pieces, mut whole) = (String::new(), 0, None);
    while let Some(event) = events.next().await {
        match event.expect("no error") {
            StreamEvent::Text { delta, .. } => {
                told.push_str(&delta);
                pieces += 1;
            }
            StreamEvent::Finished(out) => whole = Some(out),
            _ => {}
        }
    }
    let whole = whole.expect("an end");
    println!("{told:?} in {pieces} pieces, {:?}", whole.usage());
    assert_eq!((told.as_str(), whole.answer.as_str()), ("Lisbon", "Lisbon"));
    assert!(pieces > 1);
    assert!(whole.usage().prompt_tokens > 100 && whole.usage().completion_tokens > 0);
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn log_probabilities_come_along_whole_and_streamed() {
    let llama = Llama::new().await;
    let config = RemoteConfig {
        top_logprobs: 3,
        ..RemoteConfig::default()
    };
    let remote = llama.backend_with(Guidance::None, config);
    let ask = || CompletionRequest::new(QA::format(nora()));
    logprobs_cover_the_text(&remote, ask).await;
    assert_eq!(remote.stats()[0].failures, 0, "{:?}", remote.stats());
}
