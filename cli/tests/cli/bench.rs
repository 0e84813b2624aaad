//! `bench`: figures that are sound, not what they are.

use serde_json::Value as Json;

use crate::support::run;

fn check(json: &Json) {
    for name in [
        "prefill_tokens_per_second",
        "decode_tokens_per_second",
        "first_token_ms",
        "first_token_cached_ms",
        "parallel_decode_tokens_per_second",
        "parallel_total_tokens_per_second",
    ] {
        let figure = |key: &str| json[name][key].as_f64().unwrap_or_default();
        assert!(
            0.0 < figure("min")
                && figure("min") <= figure("median")
                && figure("median") <= figure("max"),
            "{name}: {json}"
        );
    }
    assert!(json["model"]["weight_bytes"].as_u64() > Some(0), "{json}");
    assert!(json["cached_tokens"].as_u64() > Some(0), "{json}");
}

#[test]
fn the_embedded_model_is_measured() {
    let arguments = [
        "bench",
        "--prompt",
        "64",
        "--reply",
        "8",
        "--rounds",
        "2",
        "--parallel",
        "2",
    ];
    check(&run(&[&arguments[..], &["--json"]].concat()).good().json());
    let text = run(&arguments).good().out;
    for row in [
        "prefill",
        "decode, 2 at once",
        "first token, 63 of 64 cached",
        "tokens/s",
        "memory",
    ] {
        assert!(text.contains(row), "{row}: {text}");
    }
}

#[test]
fn a_shape_needs_no_model() {
    let ran = run(&[
        "bench", "--shape", "tiny", "--prompt", "40", "--reply", "4", "--rounds", "1", "--json",
    ])
    .good();
    let json = ran.json();
    check(&json);
    assert_eq!(json["model"]["name"], "random weights in the shape of tiny");
}

#[test]
fn what_does_not_fit_is_refused() {
    run(&["bench", "--prompt", "4000"])
        .fails(2, "do not fit the model's context of 1024: lower them");
    run(&["bench", "--rounds", "0"]).fails(2, "--rounds");
    run(&["bench", "-m", "./nowhere"]).fails(3, "no model at `./nowhere`");
}
