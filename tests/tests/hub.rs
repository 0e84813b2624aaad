//! Models from the hub, over real sockets: what is fetched, what is kept, what breaks, and who waits for whom.

mod engine_support;
mod hub_support;

use candle_signature::adapter::ModelPool;
use candle_signature::engine::{ExportFormat, export_gguf};
use candle_signature::hub::{Hub, HubError, ModelId, Progress, PullEvent, Silent};
use engine_support::{byte_tokenizer_json, data};
use hub_support::{COMMIT, Fault, Request, TestHub, etag};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

const WEIGHTS: &str = "model.safetensors";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(data("tiny-random-qwen3").join(name)).unwrap()
}

/// The files of a model's repository, some of no use here.
fn model_files() -> Vec<(String, Vec<u8>)> {
    let files = [
        (".gitattributes", b"*.safetensors filter=lfs".to_vec()),
        ("README.md", b"# A model".to_vec()),
        ("config.json", file("config.json")),
        (
            "generation_config.json",
            br#"{"eos_token_id": [257, 3]}"#.to_vec(),
        ),
        (WEIGHTS, file(WEIGHTS)),
        ("tokenizer.json", byte_tokenizer_json(320)),
        (
            "tokenizer_config.json",
            br#"{"chat_template": "{{ messages }}"}"#.to_vec(),
        ),
    ];
    files.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec()
}

/// A server with a model, and a hub that asks it and keeps its cache in a fresh folder.
fn start() -> (TestHub, Hub, TempDir) {
    start_with(model_files())
}

fn start_with(files: Vec<(String, Vec<u8>)>) -> (TestHub, Hub, TempDir) {
    let (server, cache) = (TestHub::start(files), tempfile::tempdir().unwrap());
    let hub = Hub::from_env()
        .with_cache(cache.path())
        .with_endpoint(server.endpoint())
        .with_token(None)
        .offline(false);
    (server, hub, cache)
}

fn id(text: &str) -> ModelId {
    text.parse().unwrap()
}

fn model() -> ModelId {
    id("test/model")
}

fn refused(hub: &Hub, id: &ModelId) -> String {
    hub.pull(id, &Silent).unwrap_err().to_string()
}

fn blob(cache: &TempDir, name: &str) -> PathBuf {
    cache.path().join("models--test--model/blobs").join(name)
}

/// The bytes of large files that were asked for, and from where on.
fn fetches(requests: &[Request]) -> Vec<Option<String>> {
    requests
        .iter()
        .filter(|request| request.method == "GET" && request.path.starts_with("/cdn/"))
        .map(|request| request.headers.get("range").cloned())
        .collect()
}

/// Keeps what it hears.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn on(&self, event: PullEvent<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

impl Heard {
    fn count(&self, what: &str) -> usize {
        let heard = self.0.lock().unwrap();
        heard.iter().filter(|event| event.contains(what)).count()
    }
}

#[test]
fn a_pull_fills_the_cache_as_python_does_and_the_next_one_fetches_nothing() {
    let (server, hub, cache) = start();
    let heard = Heard::default();
    let path = hub.pull(&model(), &heard).unwrap();
    let root = cache.path().join("models--test--model");
    assert_eq!(path, root.join("snapshots").join(COMMIT));
    assert_eq!(
        std::fs::read_to_string(root.join("refs/main")).unwrap(),
        COMMIT
    );
    let weights = file(WEIGHTS);
    let sum = etag(WEIGHTS, &weights);
    assert!(std::fs::read(root.join("blobs").join(&sum)).unwrap() == weights);
    #[cfg(unix)]
    {
        let link = std::fs::read_link(path.join(WEIGHTS)).unwrap();
        assert_eq!(link, Path::new("../../blobs").join(&sum));
    }
    let mut names: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "config.json",
            "generation_config.json",
            WEIGHTS,
            "tokenizer.json",
            "tokenizer_config.json"
        ],
        "and not what no loader reads"
    );
    assert_eq!(
        std::fs::read_dir(root.join("blobs")).unwrap().count(),
        5,
        "and no parts"
    );
    assert_eq!((heard.count("Begins"), heard.count("Done")), (5, 5));
    assert!(heard.count(&format!("have: {}", weights.len())) > 0);
    server.requests();
    assert_eq!(hub.pull(&model(), &Silent).unwrap(), path);
    assert_eq!(server.requests().len(), 1, "only what `main` means now");
    assert_eq!(hub.find(&model()), Some(path));
}

#[tokio::test]
async fn a_pool_takes_what_is_not_in_its_folder_from_the_hub_once() {
    let (server, hub, _cache) = start();
    let folder = tempfile::tempdir().unwrap();
    for name in ["test/model", "Qwen3-0.6B", "qwen3-0.6b-base"] {
        let pool = ModelPool::new(folder.path())
            .with_hub(hub.clone())
            .with_progress(Silent);
        let loaded = pool.load_model(name).await.unwrap();
        assert_eq!(loaded.chat_template(), "{{ messages }}");
        assert!(!server.requests().is_empty());
        let again = ModelPool::new(folder.path()).with_hub(hub.clone());
        again.load_model(name).await.unwrap();
        assert!(server.requests().is_empty(), "{name} is in the cache");
    }
    // A folder of that name goes before the hub.
    std::fs::create_dir(folder.path().join("Qwen3-1.7B")).unwrap();
    let pool = ModelPool::new(folder.path()).with_hub(hub);
    let error = pool.load_model("Qwen3-1.7B").await.unwrap_err().to_string();
    assert!(
        error.contains("Qwen3-1.7B` has no model.safetensors"),
        "{error}"
    );
    let error = pool.load_model("Qwen3-1.7").await.unwrap_err().to_string();
    assert!(
        error.contains("holds `Qwen3-1.7B`") && error.contains("did you mean `Qwen3-1.7B`?"),
        "{error}"
    );
    assert!(server.requests().is_empty());
}

#[test]
fn a_broken_connection_goes_on_where_it_stopped() {
    let (server, hub, _cache) = start();
    server.fail([Fault::Cut(1000), Fault::Cut(70_000), Fault::Status(503)]);
    let heard = Heard::default();
    let path = hub.pull(&model(), &heard).unwrap();
    assert!(std::fs::read(path.join(WEIGHTS)).unwrap() == file(WEIGHTS));
    let ranges = fetches(&server.requests());
    let expected = [
        None,
        Some("bytes=1000-"),
        Some("bytes=71000-"),
        Some("bytes=71000-"),
    ];
    assert_eq!(ranges, expected.map(|range| range.map(str::to_owned)));
    assert_eq!(heard.count("Retries"), 2);
}

#[test]
fn a_pull_that_failed_is_continued_by_the_next() {
    let (server, hub, cache) = start();
    server.fail([5000, 0, 0, 0, 0].map(Fault::Cut));
    let error = hub.pull(&model(), &Silent).unwrap_err();
    assert!(matches!(error, HubError::NoNetwork { .. }), "{error}");
    assert_eq!(hub.find(&model()), None, "what is not whole is not there");
    let part = blob(
        &cache,
        &format!("{}.incomplete", etag(WEIGHTS, &file(WEIGHTS))),
    );
    assert_eq!(part.metadata().unwrap().len(), 5000);
    server.requests();
    let heard = Heard::default();
    let path = hub.pull(&model(), &heard).unwrap();
    assert!(std::fs::read(path.join(WEIGHTS)).unwrap() == file(WEIGHTS));
    assert_eq!(
        fetches(&server.requests()),
        [Some("bytes=5000-".to_owned())]
    );
    assert_eq!(heard.count("have: 5000 }"), 1);
    assert!(!part.exists());
}

#[test]
fn a_server_without_ranges_sends_all_of_it_again() {
    let (server, hub, _cache) = start();
    server.fail([Fault::Cut(1000), Fault::NoRange]);
    let path = hub.pull(&model(), &Silent).unwrap();
    assert!(std::fs::read(path.join(WEIGHTS)).unwrap() == file(WEIGHTS));
}

#[test]
fn damaged_bytes_are_fetched_again_once_and_never_kept() {
    let (server, hub, cache) = start();
    server.fail([Fault::Flip]);
    let heard = Heard::default();
    let path = hub.pull(&model(), &heard).unwrap();
    assert!(std::fs::read(path.join(WEIGHTS)).unwrap() == file(WEIGHTS));
    assert_eq!(heard.count("came damaged"), 1);

    let (server, hub, cache_of_bad) = start();
    server.fail([Fault::Flip, Fault::Flip]);
    let error = hub.pull(&model(), &Silent).unwrap_err();
    assert!(matches!(error, HubError::Damaged { .. }), "{error}");
    let sum = etag(WEIGHTS, &file(WEIGHTS));
    assert!(error.to_string().contains(&sum), "{error}");
    assert!(!blob(&cache_of_bad, &sum).exists());
    assert!(!blob(&cache_of_bad, &format!("{sum}.incomplete")).exists());

    // What another program left in place of a part is found out too, too long or of the right length.
    for length in [10, file(WEIGHTS).len(), file(WEIGHTS).len() + 1] {
        std::fs::remove_dir_all(cache.path().join("models--test--model")).unwrap();
        std::fs::create_dir_all(blob(&cache, "")).unwrap();
        std::fs::write(blob(&cache, &format!("{sum}.incomplete")), vec![7; length]).unwrap();
        let path = hub
            .clone()
            .with_cache(cache.path())
            .pull(&model(), &Silent)
            .unwrap();
        assert!(
            std::fs::read(path.join(WEIGHTS)).unwrap() == file(WEIGHTS),
            "{length}"
        );
    }
}

#[test]
fn refusals_say_what_to_do() {
    let (server, hub, _cache) = start();
    let with_token = hub.clone().with_token(Some("hf_secret"));
    let cases: [(u16, &str, &Hub, &str, &[&str]); 8] = [
        (
            401,
            "RepoNotFound",
            &hub,
            "test/model",
            &["nobody without a token", "hf auth login"],
        ),
        (
            401,
            "RepoNotFound",
            &hub,
            "Qwen/Qwen2.5-0.5",
            &["did you mean `Qwen2.5-0.5B`?"],
        ),
        (
            401,
            "",
            &with_token,
            "test/model",
            &["nobody with this token", "settings/tokens"],
        ),
        (
            401,
            "GatedRepo",
            &hub,
            "test/model",
            &["is gated", "huggingface.co/test/model", "set HF_TOKEN"],
        ),
        (
            403,
            "GatedRepo",
            &with_token,
            "test/model",
            &["is gated", "account that did"],
        ),
        (
            404,
            "RepoNotFound",
            &hub,
            "test/model",
            &["no model test/model", "huggingface.co/models"],
        ),
        (
            404,
            "RevisionNotFound",
            &hub,
            "test/model@v9",
            &["revision `v9` of test/model", "newest"],
        ),
        (429, "", &hub, "test/model", &["answers 429", "HF_TOKEN"]),
    ];
    for (status, code, hub, name, parts) in cases {
        server.refuse(Some((status, code)));
        let message = refused(hub, &id(name));
        for part in parts {
            assert!(message.contains(part), "{status} {code}: {message}");
        }
        assert!(!message.contains("hf_secret"), "{message}");
    }
    server.refuse(Some((500, "")));
    server.requests();
    assert!(refused(&hub, &model()).contains("answers 500: try again later"));
    assert_eq!(server.requests().len(), 4, "a busy server is asked again");
    server.refuse(None);
    server.list_as("<html>Sign in to the hotel's network</html>");
    assert!(refused(&hub, &model()).contains("does not answer as the hub does"));
}

#[test]
fn without_a_network_the_cache_serves_or_the_message_helps() {
    let (_server, hub, _cache) = start();
    // Nothing listens on this port: it was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let away = hub
        .clone()
        .with_endpoint(format!("http://127.0.0.1:{port}"));
    let message = refused(&away, &model());
    assert!(
        message.contains(&format!("cannot reach http://127.0.0.1:{port}")),
        "{message}"
    );
    assert!(
        message.contains("HTTPS_PROXY") && message.contains("HF_ENDPOINT"),
        "{message}"
    );
    let path = hub.pull(&model(), &Silent).unwrap();
    assert_eq!(away.pull(&model(), &Silent).unwrap(), path);
    let nowhere = hub.with_endpoint("huggingface.co");
    assert!(refused(&nowhere, &id("other/model")).contains("set HF_ENDPOINT to one like https://"));
}

#[test]
fn offline_asks_nobody_and_names_the_file_that_is_missing() {
    let (server, hub, cache) = start();
    let offline = hub.clone().offline(true);
    let message = refused(&offline, &model());
    assert!(
        message.starts_with("offline (HF_HUB_OFFLINE), and"),
        "{message}"
    );
    let path = hub.pull(&model(), &Silent).unwrap();
    server.requests();
    assert_eq!(offline.pull(&model(), &Silent).unwrap(), path);
    std::fs::remove_file(path.join("tokenizer.json")).unwrap();
    let message = refused(&offline, &model());
    assert!(
        message.contains("has no tokenizer.json of test/model"),
        "{message}"
    );
    // A link to a blob that is gone is no file.
    hub.pull(&model(), &Silent).unwrap();
    std::fs::remove_file(blob(&cache, &etag(WEIGHTS, &file(WEIGHTS)))).unwrap();
    let message = refused(&offline, &model());
    assert!(message.contains("has no model.safetensors"), "{message}");
    server.requests();
    hub.pull(&model(), &Silent).unwrap();
    assert_eq!(fetches(&server.requests()), [None], "and is fetched again");
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    let (server, hub, _cache) = start();
    hub.with_token(Some("hf_secret"))
        .pull(&model(), &Silent)
        .unwrap();
    for request in server.requests() {
        let sent = request.headers.get("authorization").map(String::as_str);
        let expected = match request.path.starts_with("/cdn/") {
            true => None,
            false => Some("Bearer hf_secret"),
        };
        assert_eq!(sent, expected, "{}", request.path);
    }
}

#[test]
fn revisions_are_kept_apart_and_a_commit_needs_no_network() {
    let (server, hub, cache) = start();
    let first = hub.pull(&model(), &Silent).unwrap();
    let branch = id("test/model@refs/pr/1");
    assert_eq!(hub.pull(&branch, &Silent).unwrap(), first);
    let newer = "f".repeat(40);
    server.commit(&newer, "generation_config.json", b"{}".to_vec());
    assert_eq!(
        hub.find(&model()),
        Some(first.clone()),
        "a model does not change by itself"
    );
    server.requests();
    let second = hub.pull(&model(), &Silent).unwrap();
    assert!(second.ends_with(&newer));
    assert_eq!(
        fetches(&server.requests()).len(),
        0,
        "equal files are not fetched again"
    );
    assert_eq!(hub.find(&branch), Some(first));
    assert_eq!(
        hub.pull(&id(&format!("test/model@{newer}")), &Silent)
            .unwrap(),
        second
    );
    assert_eq!(server.requests().len(), 0);
    let mut listed: Vec<_> = hub.cached().unwrap();
    listed
        .iter_mut()
        .for_each(|model| assert!(model.complete && model.bytes > 200_000));
    let names: Vec<String> = listed.iter().map(|model| model.id.to_string()).collect();
    assert_eq!(names, ["test/model", "test/model@refs/pr/1"]);
    assert_eq!(listed[0].path, second);
    let empty = hub.with_cache(cache.path().join("none"));
    assert_eq!(empty.cached().unwrap(), []);
}

#[tokio::test]
async fn shards_come_by_their_index_and_load() {
    let tensors = candle_core::safetensors::load(
        data("tiny-random-qwen3").join(WEIGHTS),
        &candle_core::Device::Cpu,
    );
    let folder = tempfile::tempdir().unwrap();
    let (mut shards, mut map) = ([Vec::new(), Vec::new()], serde_json::Map::new());
    for (index, (name, tensor)) in tensors.unwrap().into_iter().enumerate() {
        map.insert(
            name.clone(),
            format!("model-{}.safetensors", index % 2).into(),
        );
        shards[index % 2].push((name, tensor));
    }
    let mut files = model_files();
    files.retain(|(name, _)| name != WEIGHTS);
    for (index, tensors) in shards.into_iter().enumerate() {
        let name = format!("model-{index}.safetensors");
        let path = folder.path().join(&name);
        candle_core::safetensors::save(&tensors.into_iter().collect(), &path).unwrap();
        files.push((name, std::fs::read(path).unwrap()));
    }
    let index = serde_json::json!({"weight_map": map}).to_string();
    files.push(("model.safetensors.index.json".to_owned(), index.into()));
    let (server, hub, _cache) = start_with(files.clone());
    let pool = ModelPool::new(folder.path())
        .with_hub(hub.clone())
        .with_progress(Silent);
    pool.load_model("test/model").await.unwrap();
    assert_eq!(fetches(&server.requests()).len(), 2);
    let path = hub.find(&model()).unwrap();
    std::fs::remove_file(path.join("model-1.safetensors")).unwrap();
    let message = refused(&hub.offline(true), &model());
    assert!(message.contains("has no model-1.safetensors"), "{message}");
    // An index that points out of the folder brings nothing.
    let evil = br#"{"weight_map": {"a": "../../../../evil"}}"#.to_vec();
    files.retain(|(name, _)| name != "model.safetensors.index.json");
    files.push(("model.safetensors.index.json".to_owned(), evil));
    let (_server, hub, _cache) = start_with(files);
    let message = refused(&hub, &model());
    assert!(
        message.contains("`../../../../evil` is not a plain file name"),
        "{message}"
    );
}

#[tokio::test]
async fn a_gguf_file_alone_is_a_model() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in model_files() {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let out = folder.path().join("q8.gguf");
    export_gguf(folder.path(), &out, ExportFormat::Q8).unwrap();
    let gguf = std::fs::read(&out).unwrap();
    let files = ["README.md", "model-q4.gguf", "model-q8.gguf"];
    let files = files.map(|name| (name.to_owned(), gguf.clone())).to_vec();
    let (server, hub, _cache) = start_with(files.clone());
    let message = refused(&hub, &model());
    assert!(
        message.contains("as in `test/model:model-q4.gguf`"),
        "{message}"
    );
    let message = refused(&hub, &id("test/model:q5.gguf"));
    assert!(
        message.contains("it has model-q4.gguf, model-q8.gguf"),
        "{message}"
    );
    let pool = ModelPool::new("/no/such/folder")
        .with_hub(hub.clone())
        .with_progress(Silent);
    let loaded = pool.load_model("test/model:model-q8.gguf").await.unwrap();
    assert_eq!(loaded.chat_template(), "{{ messages }}");
    assert_eq!(
        fetches(&server.requests()).len(),
        1,
        "the other one stays there"
    );
    assert!(hub.cached().unwrap()[0].complete);
    let (_server, hub, _cache) = start_with(files[..2].to_vec());
    assert!(
        hub.pull(&model(), &Silent)
            .unwrap()
            .ends_with("model-q4.gguf")
    );
}

#[test]
fn names_out_of_the_hub_stay_inside_the_cache() {
    let (server, hub, cache) = start();
    for etag in ["../../evil", "/etc/passwd", "..", ""] {
        server.etag_as(etag);
        let message = refused(&hub, &model());
        assert!(message.contains("names no checksum"), "{etag}: {message}");
    }
    server.list_as(r#"{"sha": "../../evil", "siblings": []}"#);
    assert!(refused(&hub, &model()).contains("is no commit"));
    server.list_as(r#"{"sha": "abc", "siblings": [{"rfilename": "../evil.gguf"}]}"#);
    assert!(refused(&hub, &model()).contains("neither model.safetensors"));
    let above = cache.path().parent().unwrap();
    assert!(!above.join("evil").exists() && !above.join("evil.gguf").exists());
}

/// What [`two_processes_pull_one_model_and_each_file_comes_once`] starts twice.
#[test]
#[ignore = "a process of another test's"]
fn child_that_pulls() {
    let heard = Heard::default();
    let path = Hub::from_env().pull(&model(), &heard).unwrap();
    assert!(std::fs::read(path.join(WEIGHTS)).unwrap() == file(WEIGHTS));
    println!("waited {}", heard.count("Waits"));
}

#[test]
fn two_processes_pull_one_model_and_each_file_comes_once() {
    let (server, _hub, cache) = start();
    server.fail([Fault::Pause(Duration::from_millis(1500))]);
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["child_that_pulls", "--exact", "--ignored", "--nocapture"])
            .env("HF_HUB_CACHE", cache.path())
            .env("HF_ENDPOINT", server.endpoint())
            .env_remove("HF_HUB_OFFLINE")
            .env_remove("HF_TOKEN")
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let outputs = [start(), start()].map(|child| child.wait_with_output().unwrap());
    let mut waited = 0;
    for output in outputs {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        waited += usize::from(!text.contains("waited 0"));
    }
    assert_eq!(waited, 1, "one waited for the other");
    assert_eq!(fetches(&server.requests()), [None]);
}
