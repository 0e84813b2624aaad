//! Where a mask admits few tokens, the output head is computed for them alone: the same logits to the last bit.

mod engine_support;

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_core::Device;
use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, KvCache, LoadOptions, Logits, LogitsMask, MaskError,
    MaskStep, Model, Quantization, Row, SamplingParams, TokenId,
};
use engine_support::{random_config, random_weights, write_model};
use futures::executor::block_on;

/// Every way in which the head's weights can be held.
fn models() -> Vec<(Model, String)> {
    let folder = tempfile::tempdir().unwrap();
    let mut models = Vec::new();
    for tied in [true, false] {
        let mut config = random_config();
        config["tie_word_embeddings"] = tied.into();
        write_model(folder.path(), &config, &random_weights(&config));
        for quantization in [Quantization::None, Quantization::Q8, Quantization::Q4] {
            let options = LoadOptions {
                quantization,
                threads: NonZeroUsize::new(2),
                ..LoadOptions::default()
            };
            let model = Model::load_dir_with(folder.path(), &Device::Cpu, &options).unwrap();
            models.push((model, format!("{quantization:?}, tied: {tied}")));
        }
    }
    models
}

fn ids(ids: &[u32]) -> Vec<TokenId> {
    ids.iter().copied().map(TokenId).collect()
}

#[test]
fn some_logits_equal_those_of_the_whole_head() {
    for (model, name) in models() {
        let network = model.network();
        let prompts = [ids(&[5, 6, 7]), ids(&[9]), ids(&[1, 2]), ids(&[8, 8])];
        // One row in the midst of its prompt, two that want little, and between them one that wants everything.
        let few = [
            None,
            Some(ids(&[299, 0, 17, 16, 15])),
            None,
            Some(ids(&[42])),
        ];
        let run = |few: &dyn Fn(usize) -> Option<Vec<TokenId>>| {
            let mut caches: Vec<KvCache> = prompts
                .iter()
                .map(|_| engine_support::cache(network, 8))
                .collect();
            let mut rows: Vec<Row<'_>> = prompts
                .iter()
                .zip(&mut caches)
                .enumerate()
                .map(|(at, (tokens, cache))| Row {
                    tokens,
                    cache,
                    logits: at > 0,
                })
                .collect();
            let mut logits = Logits::default();
            network
                .forward_into(&mut rows, &[], few, &mut logits)
                .unwrap();
            logits
        };
        let whole = run(&|_| None);
        let some = run(&|row| few[row].clone());
        assert_eq!(some.rows(), 4, "{name}");
        assert!(some.row(0).is_empty(), "{name}");
        assert_eq!(some.row(2), whole.row(2), "{name}");
        for row in [1, 3] {
            let few = few[row].as_ref().unwrap();
            assert_eq!(some.row(row).len(), network.config().vocab_size, "{name}");
            for (id, logit) in some.row(row).iter().enumerate() {
                let expected = match few.contains(&TokenId(id as u32)) {
                    true => whole.row(row)[id],
                    false => f32::NEG_INFINITY,
                };
                assert_eq!(logit.to_bits(), expected.to_bits(), "{name}: token {id}");
            }
        }
    }
}

/// Admits the multiples of a number, and knows them beforehand or not.
struct Multiples {
    of: u32,
    tells: bool,
}

impl LogitsMask for Multiples {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        Ok(MaskStep::default())
    }

    fn few(&mut self, most: usize) -> Option<Vec<TokenId>> {
        let admitted: Vec<_> = (0..250).step_by(self.of as usize).map(TokenId).collect();
        (self.tells && admitted.len() <= most).then_some(admitted)
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        for (id, logit) in logits.iter_mut().enumerate() {
            if !(id as u32).is_multiple_of(self.of) || id >= 250 {
                *logit = f32::NEG_INFINITY;
            }
        }
        Ok(())
    }

    fn accept(&mut self, token: TokenId, _budget: usize) -> Result<MaskStep, MaskError> {
        Ok(MaskStep {
            tokens: vec![token],
            end: None,
        })
    }
}

#[test]
fn what_is_generated_does_not_depend_on_it() {
    for (model, name) in models() {
        let engine = Engine::start(Arc::new(model), EngineOptions::default()).unwrap();
        let tokens = |tells, all_logits| {
            let request = GenerateRequest {
                mask: Some(Box::new(Multiples { of: 7, tells })),
                all_logits,
                sampling: SamplingParams {
                    temperature: 1.0,
                    seed: Some(3),
                    ..SamplingParams::default()
                },
                ..GenerateRequest::greedy(ids(&[1, 2, 3]), 12)
            };
            block_on(engine.generate(request)).unwrap().tokens
        };
        let expected = tokens(false, false);
        assert_eq!(expected.len(), 12);
        assert_eq!(tokens(true, false), expected, "{name}");
        assert_eq!(tokens(true, true), expected, "{name}");
    }
}
