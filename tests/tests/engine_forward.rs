//! The forward pass against PyTorch's numbers, against candle-transformers, and against itself by other routes.

mod engine_support;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_signature::engine::{KvCache, Qwen2, Row, TokenId};
use engine_support::*;

const FIXTURES: [(&str, f32); 5] = [
    ("tiny-random-qwen2", 1e-4),
    ("small-random-qwen2", 1e-3),
    ("tiny-random-qwen2-untied", 1e-4),
    ("tiny-random-qwen3", 1e-4),
    ("tiny-random-qwen3-untied", 1e-4),
];

const TINY: [&str; 4] = [
    "tiny-random-qwen2",
    "tiny-random-qwen2-untied",
    "tiny-random-qwen3",
    "tiny-random-qwen3-untied",
];

#[test]
fn logits_and_hidden_states_equal_pytorchs() {
    for (name, tolerance) in FIXTURES {
        let network = load_network(&data(name));
        let goldens = json_file(&data(name).join("goldens.json"));
        for case in goldens["cases"].as_array().unwrap() {
            let tokens = ids(&case["tokens"]);
            let logits = last_logits(&network, &tokens, &mut cache(&network, tokens.len()));
            let difference = max_difference(&logits, &floats(&case["logits"]));
            assert!(
                difference <= tolerance,
                "{name}, {} tokens: {difference}",
                tokens.len()
            );
            let Some(expected) = case["hidden_states"].as_array() else {
                continue;
            };
            let mut cache = cache(&network, tokens.len());
            let row = Row {
                tokens: &tokens,
                cache: &mut cache,
                logits: true,
            };
            let stages = network.trace(&mut [row]).unwrap();
            assert_eq!(stages.len(), expected.len());
            for (stage, expected) in stages.iter().zip(expected) {
                let last = stage.get(tokens.len() - 1).unwrap().to_vec1().unwrap();
                assert!(
                    max_difference(&last, &floats(expected)) <= tolerance,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn greedy_continuations_equal_pytorchs() {
    for (name, _) in FIXTURES {
        let network = load_network(&data(name));
        let goldens = json_file(&data(name).join("goldens.json"));
        for case in goldens["cases"].as_array().unwrap() {
            let prompt = ids(&case["tokens"]);
            let expected = ids(&case["greedy"]);
            assert_eq!(
                greedy(&network, &prompt, expected.len()),
                expected,
                "{name}"
            );
        }
    }
}

fn greedy(network: &Qwen2, prompt: &[TokenId], count: usize) -> Vec<TokenId> {
    let mut cache = cache(network, prompt.len() + count);
    let mut reply = vec![argmax(&last_logits(network, prompt, &mut cache))];
    while reply.len() < count {
        let last = [reply[reply.len() - 1]];
        reply.push(argmax(&last_logits(network, &last, &mut cache)));
    }
    reply
}

#[test]
fn logits_equal_candle_transformers() {
    for tied in [true, false] {
        let mut config = random_config();
        config["tie_word_embeddings"] = tied.into();
        let weights = random_weights(&config);
        let folder = tempfile::tempdir().unwrap();
        write_model(folder.path(), &config, &weights);
        let ours = load_network(folder.path());
        let builder = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
        let theirs_config = serde_json::from_value(config).unwrap();
        let mut theirs =
            candle_transformers::models::qwen2::ModelForCausalLM::new(&theirs_config, builder)
                .unwrap();
        let tokens: Vec<u32> = (0..40).map(|i| i * 37 % 300).collect();
        let input = Tensor::new(tokens.as_slice(), &Device::Cpu)
            .unwrap()
            .unsqueeze(0)
            .unwrap();
        let expected = theirs
            .forward(&input, 0)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        let tokens: Vec<TokenId> = tokens.into_iter().map(TokenId).collect();
        let logits = last_logits(&ours, &tokens, &mut cache(&ours, 40));
        let difference = max_difference(&logits, &expected);
        assert!(difference <= 1e-4, "tied {tied}: {difference}");
        assert!(
            expected.iter().any(|logit| logit.abs() > 0.1),
            "the comparison is not of zeros"
        );
    }
}

fn tokens(count: u32) -> Vec<TokenId> {
    (0..count).map(|i| TokenId(i * 53 % 320)).collect()
}

#[test]
fn logits_with_and_without_the_cache_are_equal() {
    for name in TINY {
        let network = load_network(&data(name));
        let tokens = tokens(40);
        let mut kept = cache(&network, 40);
        for length in 1..=40 {
            let step = last_logits(&network, &tokens[length - 1..length], &mut kept);
            let whole = last_logits(&network, &tokens[..length], &mut cache(&network, length));
            assert_eq!(step, whole, "{name}, after {length} tokens");
        }
    }
}

#[test]
fn a_prompt_in_chunks_gives_the_logits_of_the_whole() {
    for name in TINY {
        let network = load_network(&data(name));
        let tokens = tokens(50);
        let whole = last_logits(&network, &tokens, &mut cache(&network, 50));
        for chunk in [1, 7, 16, 49] {
            let mut kept = cache(&network, 50);
            let pieces = tokens.chunks(chunk);
            let last = pieces
                .map(|piece| last_logits(&network, piece, &mut kept))
                .last()
                .unwrap();
            assert_eq!(last, whole, "{name}, chunks of {chunk}");
        }
    }
}

#[test]
fn rows_of_different_lengths_do_not_see_each_other() {
    for name in TINY {
        rows_do_not_see_each_other(&load_network(&data(name)));
    }
}

fn rows_do_not_see_each_other(network: &Qwen2) {
    let all = tokens(60);
    let prompts = [&all[..1], &all[3..40], &all[10..17]];
    let mut caches: Vec<KvCache> = prompts.iter().map(|_| cache(network, 60)).collect();
    // The middle row continues a sequence, the others begin one.
    last_logits(network, &all[..9], &mut caches[1]);
    let mut rows: Vec<Row> = prompts
        .iter()
        .zip(&mut caches)
        .map(|(tokens, cache)| Row {
            tokens,
            cache,
            logits: tokens.len() != 37,
        })
        .collect();
    let logits = network.forward(&mut rows).unwrap();
    assert_eq!(
        logits.dims(),
        [2, 320],
        "only the rows that want logits have any"
    );
    for (index, prompt) in [(0, prompts[0]), (1, prompts[2])] {
        let alone = last_logits(network, prompt, &mut cache(network, 60));
        let row: Vec<f32> = logits.get(index).unwrap().to_vec1().unwrap();
        assert_eq!(row, alone);
    }
    let next = last_logits(network, &all[..1], &mut caches[1]);
    let sequence = [&all[..9], prompts[1], &all[..1]].concat();
    let alone = last_logits(network, &sequence, &mut cache(network, 60));
    assert_eq!(next, alone);
}

#[test]
fn all_positions_end_with_the_last_position() {
    let network = load_network(&data("tiny-random-qwen2"));
    let tokens = tokens(12);
    let mut kept = cache(&network, 12);
    let row = Row {
        tokens: &tokens,
        cache: &mut kept,
        logits: true,
    };
    let all = network.forward_all_positions(&mut [row]).unwrap();
    assert_eq!(all.dims(), [12, 320]);
    for length in 1..=12 {
        let alone = last_logits(&network, &tokens[..length], &mut cache(&network, 12));
        let row: Vec<f32> = all.get(length - 1).unwrap().to_vec1().unwrap();
        assert_eq!(row, alone);
    }
}

#[test]
fn a_full_cache_and_an_unknown_token_are_errors_that_change_nothing() {
    let network = load_network(&data("tiny-random-qwen2"));
    let mut kept = cache(&network, 4);
    last_logits(&network, &tokens(3), &mut kept);
    for bad in [tokens(2), vec![TokenId(320)], Vec::new()] {
        let row = Row {
            tokens: &bad,
            cache: &mut kept,
            logits: true,
        };
        assert!(network.forward(&mut [row]).is_err());
        assert_eq!(kept.len(), 3);
    }
}
