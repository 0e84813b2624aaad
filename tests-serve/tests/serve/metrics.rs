//! `/metrics`: numbers that are right, in a form that Prometheus reads.

use std::collections::BTreeMap;

use serde_json::json;

use super::support::{Site, ask};

fn read(page: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let value = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("name and value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(value).collect()
}

#[tokio::test]
async fn what_was_served_is_counted() {
    let site = Site::new().await;
    let first = site.chat(&ask()).await.ok();
    let second = site.chat(&ask()).await.ok();
    site.chat(&json!({"nonsense": 1})).await;
    site.get("/nowhere").await;
    site.is_at_rest().await;
    let answer = site.get("/metrics").await;
    assert!(
        answer.head.contains("text/plain; version=0.0.4"),
        "{}",
        answer.head
    );
    let metrics = read(&answer.body);
    let of = |name: &str| metrics[&format!("candle_signature_{name}")];
    let chat = "requests_total{path=\"/v1/chat/completions\",status=";
    assert_eq!(of(&format!("{chat}\"200\"}}")), 2.0);
    assert_eq!(of(&format!("{chat}\"400\"}}")), 1.0);
    assert_eq!(of("requests_total{path=\"other\",status=\"404\"}"), 1.0);
    let sum = |key: &str| {
        [&first, &second]
            .iter()
            .map(|answer| answer["usage"][key].as_f64().unwrap())
            .sum::<f64>()
    };
    assert_eq!(of("prompt_tokens_total"), sum("prompt_tokens"));
    assert_eq!(of("completion_tokens_total"), sum("completion_tokens"));
    let cached = second["usage"]["prompt_tokens_details"]["cached_tokens"]
        .as_f64()
        .unwrap();
    assert_eq!(of("cached_prompt_tokens_total"), cached);
    assert_eq!(of("cache_reused_tokens_total{model=\"embedded\"}"), cached);
    let rate = of("cache_hit_rate{model=\"embedded\"}");
    assert!(rate > 0.3 && rate < 0.6, "{rate}");
    assert_eq!(of("time_to_first_token_seconds_count"), 2.0);
    assert_eq!(of("time_to_first_token_seconds_bucket{le=\"+Inf\"}"), 2.0);
    assert!(of("inter_token_seconds_count") > 4.0);
    assert_eq!(of("request_seconds_count"), 2.0);
    for name in [
        "requests_active",
        "queue_requests{model=\"embedded\"}",
        "running_rows{model=\"embedded\"}",
        "cache_blocks_in_use{model=\"embedded\"}",
    ] {
        assert_eq!(of(name), 0.0, "{name}");
    }
    // Every family says what it is, once.
    let families: Vec<_> = answer
        .body
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    let distinct: std::collections::BTreeSet<_> = families.iter().collect();
    assert_eq!(families.len(), distinct.len());
    assert!(families.len() >= 18, "{families:?}");
}
