//! Qwen2.5's chat template against the goldens, line for line, with and without text that tries to be control tokens.

mod engine_support;

use candle_signature::adapter::{ChatTemplate, Piece};
use candle_signature::engine::{Segment, TokenId, Tokenizer};
use engine_support::{data, ids, json_file, json_lines, qwen_tokenizer_json};
use serde_json::Value as Json;

struct Qwen {
    tokenizer: Tokenizer,
    template: ChatTemplate,
}

impl Qwen {
    fn new() -> Self {
        let tokenizer = Tokenizer::from_bytes(&qwen_tokenizer_json(), "tokenizer.json").unwrap();
        let config = json_file(&data("qwen2.5/tokenizer_config.json"));
        let source = config["chat_template"].as_str().unwrap();
        let control = tokenizer.control_tokens().map(|(text, _)| text);
        let template = ChatTemplate::new(source, control).unwrap();
        Qwen {
            tokenizer,
            template,
        }
    }

    fn render(&self, golden: &Json) -> (String, Vec<TokenId>) {
        let tools = Some(&golden["tools"]).filter(|tools| !tools.is_null());
        let add_generation_prompt = golden["add_generation_prompt"].as_bool().unwrap();
        let pieces = self
            .template
            .render(&golden["messages"], tools, add_generation_prompt)
            .unwrap();
        let text = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Control(text) | Piece::Text(text) => text.as_str(),
            })
            .collect();
        let segments: Vec<_> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Segment::Text(text),
                Piece::Control(text) => {
                    Segment::Control(self.tokenizer.control_token(text).unwrap())
                }
            })
            .collect();
        (text, self.tokenizer.encode_segments(&segments).unwrap())
    }
}

#[test]
fn conversations_render_as_transformers_renders_them() {
    let qwen = Qwen::new();
    let goldens = json_lines(&data("goldens/chat_template.jsonl"));
    assert_eq!(goldens.len(), 18);
    for golden in goldens {
        let (text, tokens) = qwen.render(&golden);
        assert_eq!(text, golden["text"].as_str().unwrap());
        assert_eq!(tokens, ids(&golden["ids"]), "{text}");
    }
}

/// Qwen3's template reads the messages backwards, calls Python's methods, and is told not to think.
#[test]
fn qwen3s_conversations_render_as_transformers_renders_them() {
    let source = std::fs::read_to_string(data("qwen3/chat_template.jinja")).unwrap();
    let template = ChatTemplate::new(&source, ["<|im_start|>", "<|im_end|>"]).unwrap();
    let goldens = json_lines(&data("qwen3/chat_template.jsonl"));
    assert_eq!(goldens.len(), 7);
    for golden in goldens {
        let tools = Some(&golden["tools"]).filter(|tools| !tools.is_null());
        let pieces = template.render(&golden["messages"], tools, true).unwrap();
        let text: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Control(text) | Piece::Text(text) => text.as_str(),
            })
            .collect();
        assert_eq!(text, golden["text"].as_str().unwrap());
    }
}

#[test]
fn control_strings_in_messages_stay_text() {
    let qwen = Qwen::new();
    let goldens = json_lines(&data("goldens/chat_template_injection.jsonl"));
    assert_eq!(goldens.len(), 4);
    for golden in goldens {
        let (text, tokens) = qwen.render(&golden);
        assert_eq!(text, golden["text"].as_str().unwrap());
        assert_eq!(tokens, ids(&golden["ids_safe"]), "{text}");
        assert_ne!(tokens, ids(&golden["ids_parsed"]), "{text}");
    }
}
