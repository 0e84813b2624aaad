//! Qwen2.5's tokenizer against the goldens, control tokens out of plain text, and decoding piece by piece.

mod engine_support;

use candle_signature::engine::{EngineError, Segment, TokenId, Tokenizer};
use engine_support::*;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

static QWEN: LazyLock<Arc<Tokenizer>> = LazyLock::new(|| {
    Arc::new(Tokenizer::from_bytes(&qwen_tokenizer_json(), "tokenizer.json").unwrap())
});

#[test]
fn plain_texts_have_the_goldens_ids() {
    let goldens = json_lines(&data("goldens/tokenizer.jsonl"));
    assert_eq!(goldens.len(), 156);
    for golden in goldens {
        let text = golden["text"].as_str().unwrap();
        assert_eq!(
            QWEN.encode_text(text).unwrap(),
            ids(&golden["ids"]),
            "{text:?}"
        );
    }
}

#[test]
fn control_strings_are_control_tokens_only_in_trusted_text() {
    let goldens = json_lines(&data("goldens/tokenizer_special.jsonl"));
    assert_eq!(goldens.len(), 40);
    for golden in goldens {
        let text = golden["text"].as_str().unwrap();
        let trusted = QWEN.encode_with_control(text).unwrap();
        assert_eq!(trusted, ids(&golden["ids_special"]), "{text:?}");
        let plain = QWEN.encode_text(text).unwrap();
        assert_eq!(plain, ids(&golden["ids_plain"]), "{text:?}");
        assert!(!plain.iter().any(|id| QWEN.is_control(*id)));
    }
}

#[test]
fn control_tokens_are_found_by_name_special_or_not() {
    assert_eq!(QWEN.control_token("<|im_end|>"), Some(TokenId(151645)));
    assert_eq!(QWEN.control_token("<tool_call>"), Some(TokenId(151657)));
    assert_eq!(QWEN.control_token("hello"), None);
    assert_eq!(QWEN.largest_id(), Some(TokenId(151664)));
}

#[test]
fn segments_are_encoded_each_by_itself() {
    let start = QWEN.control_token("<|im_start|>").unwrap();
    let end = QWEN.control_token("<|im_end|>").unwrap();
    let segments = [
        Segment::Control(start),
        Segment::Text("user\n<|im_end|>"),
        Segment::Control(end),
        Segment::Text(""),
    ];
    let ids = QWEN.encode_segments(&segments).unwrap();
    let inner = QWEN.encode_text("user\n<|im_end|>").unwrap();
    assert_eq!(ids, [&[start], inner.as_slice(), &[end]].concat());
    assert_eq!(
        QWEN.decode(&ids),
        "user\n<|im_end|>",
        "special tokens are not shown"
    );
    let call = QWEN.encode_with_control("<tool_call>{}").unwrap();
    assert_eq!(
        QWEN.decode(&call),
        "<tool_call>{}",
        "added tokens that are not special are"
    );
}

#[test]
fn normalized_text_comes_back_from_its_ids() {
    for golden in json_lines(&data("goldens/tokenizer.jsonl")) {
        let text = golden["text"].as_str().unwrap();
        let decoded = QWEN.decode(&ids(&golden["ids"]));
        let again = QWEN.encode_text(&decoded).unwrap();
        assert_eq!(again, ids(&golden["ids"]), "{text:?} became {decoded:?}");
        if text.is_ascii() {
            assert_eq!(decoded, text);
        }
    }
}

#[test]
fn a_character_in_several_tokens_appears_when_it_is_complete() {
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(260), "bytes").unwrap();
    let tokenizer = Arc::new(tokenizer);
    let mut stream = tokenizer.decode_stream();
    let pieces: Vec<String> = "é😀!"
        .bytes()
        .map(|byte| stream.push(TokenId(byte.into())))
        .collect();
    assert_eq!(pieces, ["", "é", "", "", "", "😀", "!"]);
    assert_eq!(stream.finish(), "");
}

#[test]
fn an_unfinished_or_invalid_character_becomes_one_replacement() {
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(260), "bytes").unwrap();
    let tokenizer = Arc::new(tokenizer);
    let mut stream = tokenizer.decode_stream();
    assert_eq!(stream.push(TokenId(0xF0)), "");
    assert_eq!(stream.push(TokenId(b'a'.into())), "\u{FFFD}a");
    assert_eq!(stream.push(TokenId(0xE2)), "");
    assert_eq!(
        stream.push(TokenId(99_999)),
        "",
        "an id without a token has no text"
    );
    assert_eq!(stream.finish(), "\u{FFFD}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn streamed_pieces_join_to_the_whole(ids in prop::collection::vec(0u32..151_700, 0..60)) {
        let ids: Vec<TokenId> = ids.into_iter().map(TokenId).collect();
        let mut stream = QWEN.decode_stream();
        let mut text: String = ids.iter().map(|id| stream.push(*id)).collect();
        text += &stream.finish();
        prop_assert_eq!(text, QWEN.decode(&ids));
    }

    #[test]
    fn streamed_bytes_join_to_the_lossy_text(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        static BYTES: LazyLock<Arc<Tokenizer>> =
            LazyLock::new(|| Arc::new(Tokenizer::from_bytes(&byte_tokenizer_json(260), "bytes").unwrap()));
        let mut stream = BYTES.decode_stream();
        let mut text: String = bytes.iter().map(|byte| stream.push(TokenId((*byte).into()))).collect();
        text += &stream.finish();
        prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_text_yields_a_control_token(text in "(<\\|im_(start|end)\\|>|<tool_call>|<\\|fim_prefix\\|>|\\PC){0,12}") {
        let ids = QWEN.encode_text(&text).unwrap();
        prop_assert!(!ids.iter().any(|id| QWEN.is_control(*id)));
    }
}

#[test]
fn a_bad_tokenizer_json_is_refused_with_its_place() {
    let byte_level = String::from_utf8(byte_tokenizer_json(260)).unwrap();
    let twice = byte_level.replace("<|control_259|>", "<|im_end|>");
    let same_id = byte_level.replace("\"id\":259", "\"id\":258");
    let word_piece = byte_level.replace(
        "\"decoder\":{\"type\":\"ByteLevel\"",
        "\"decoder\":{\"type\":\"WordPiece\"",
    );
    for (json, expected) in [
        ("", "not a tokenizer.json"),
        ("{}", "not a tokenizer.json"),
        ("[1, 2", "not a tokenizer.json"),
        (&word_piece, "byte-level BPE"),
        (&twice, "`<|im_end|>` occurs twice"),
        (&same_id, "given to two added tokens"),
    ] {
        let error = Tokenizer::from_bytes(json.as_bytes(), "models/x/tokenizer.json").unwrap_err();
        assert!(matches!(error, EngineError::Tokenizer { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.starts_with("models/x/tokenizer.json: "),
            "{message}"
        );
        assert!(message.contains(expected), "{message}");
    }
}
