//! Batches on the GPU against the network on the CPU.

use super::*;

/// A shape with heads of another width, two or six of them to a key head.
fn head_config(head_dim: usize, heads: usize) -> Value {
    let mut config = random_config();
    config["hidden_size"] = (head_dim * heads).into();
    config["num_attention_heads"] = heads.into();
    config["num_key_value_heads"] = 2.into();
    config["max_position_embeddings"] = 2048.into();
    config
}

/// The logits of a step of one token for each row.
fn step(network: &Qwen2, caches: &mut [KvCache], tokens: &[TokenId]) -> Vec<Vec<f32>> {
    let mut rows: Vec<Row<'_>> = caches
        .iter_mut()
        .zip(tokens)
        .map(|(cache, token)| Row {
            tokens: std::slice::from_ref(token),
            cache,
            logits: true,
        })
        .collect();
    all_logits(network, &mut rows)
}

/// Caches of one pool, filled to these depths.
fn batch_caches(network: &Qwen2, depths: &[usize], capacity: usize) -> Vec<KvCache> {
    let caches = KvCache::several(network.config(), capacity, depths.len(), network.device());
    let mut caches = caches.unwrap();
    for (row, (cache, depth)) in caches.iter_mut().zip(depths).enumerate() {
        let vocab = network.config().vocab_size as u32;
        last_logits(network, &some_tokens(*depth, vocab, row as u32), cache);
    }
    caches
}

#[test]
fn batches_of_any_size_equal_the_cpu_with_and_without_graphs() {
    // Weights of full size make larger sums, of which bf16 loses more.
    for (config, sizes, tolerance) in [
        (
            wide_config(2, 1003, true),
            &[2, 3, 5, 64, 70][..],
            TOLERANCE,
        ),
        (head_config(128, 4), &[2, 9, 130], 1.5 * TOLERANCE),
        (head_config(64, 20), &[7], 1.5 * TOLERANCE),
        (head_config(32, 6), &[2, 30], 1.5 * TOLERANCE),
    ] {
        let (cpu, cuda) = both(&config);
        let vocab = config["vocab_size"].as_u64().unwrap() as u32;
        for size in sizes {
            let depths: Vec<usize> = (0..*size).map(|row| 1 + row * 37 % 600).collect();
            let mut caches = batch_caches(&cuda, &depths, 620);
            let tokens = some_tokens(*size, vocab, 99);
            // The first pass of a size runs without a graph, the second is captured, the third a replay.
            let passes: Vec<_> = (0..3)
                .map(|_| {
                    for (cache, depth) in caches.iter_mut().zip(&depths) {
                        cache.truncate(*depth);
                    }
                    step(&cuda, &mut caches, &tokens)
                })
                .collect();
            assert_eq!(passes[0], passes[1], "{size} rows, captured");
            assert_eq!(passes[0], passes[2], "{size} rows, replayed");
            // The next step sees what this one has stored.
            let next = step(&cuda, &mut caches, &tokens);
            for row in [0, size / 2, size - 1] {
                let mut cache = cache_on(&cpu, 620);
                last_logits(
                    &cpu,
                    &some_tokens(depths[row], vocab, row as u32),
                    &mut cache,
                );
                for found in [&passes[2][row], &next[row]] {
                    let expected = last_logits(&cpu, &tokens[row..=row], &mut cache);
                    let error = relative_error(found, &expected);
                    let depth = depths[row];
                    assert!(
                        error < tolerance,
                        "{size} rows, row {row} at {depth}: {error}"
                    );
                }
            }
        }
    }
}
