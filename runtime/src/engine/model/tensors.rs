//! The weights that a model of a shape consists of, by Hugging Face name.

use crate::engine::ModelConfig;

/// A weight's name and shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
}

impl TensorSpec {
    /// Values in it.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    pub(crate) fn is_norm(&self) -> bool {
        self.name.ends_with("norm.weight")
    }
}

/// All of them, in the order in which the network meets them, the output head last.
pub(crate) fn tensors(config: &ModelConfig) -> Vec<TensorSpec> {
    let (hidden, mlp, vocab) = (
        config.hidden_size,
        config.intermediate_size,
        config.vocab_size,
    );
    let (q, kv) = (
        config.heads * config.head_dim,
        config.kv_heads * config.head_dim,
    );
    let mut specs = Vec::new();
    let mut add = |name: String, shape: &[usize]| {
        let shape = shape.to_vec();
        specs.push(TensorSpec { name, shape });
    };
    add("model.embed_tokens.weight".to_owned(), &[vocab, hidden]);
    for layer in 0..config.layers {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        add(name("input_layernorm.weight"), &[hidden]);
        for (part, rows) in [("q", q), ("k", kv), ("v", kv)] {
            add(
                name(&format!("self_attn.{part}_proj.weight")),
                &[rows, hidden],
            );
            if config.architecture.has_biases() {
                add(name(&format!("self_attn.{part}_proj.bias")), &[rows]);
            }
        }
        if config.architecture.norms_heads() {
            for part in ["q", "k"] {
                add(
                    name(&format!("self_attn.{part}_norm.weight")),
                    &[config.head_dim],
                );
            }
        }
        add(name("self_attn.o_proj.weight"), &[hidden, q]);
        add(name("post_attention_layernorm.weight"), &[hidden]);
        add(name("mlp.gate_proj.weight"), &[mlp, hidden]);
        add(name("mlp.up_proj.weight"), &[mlp, hidden]);
        add(name("mlp.down_proj.weight"), &[hidden, mlp]);
    }
    add("model.norm.weight".to_owned(), &[hidden]);
    if !config.tie_word_embeddings {
        add("lm_head.weight".to_owned(), &[vocab, hidden]);
    }
    specs
}
