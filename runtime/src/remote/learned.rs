//! What a server turned out not to know, so that it is asked for once and not again.

use std::collections::HashMap;

use super::RemoteError;
use super::endpoint::Guidance;

/// How many schemas' refusals are remembered; then all are forgotten.
const MOST_REFUSALS: usize = 1024;

/// What was learned of one server.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// By the fingerprint of what a reply was to be held to, the way that is left.
    ways: HashMap<u64, Guidance>,
    /// `max_tokens` is called `max_completion_tokens`.
    pub new_name_of_max_tokens: bool,
    /// `repeat_penalty` is not known.
    pub no_repeat_penalty: bool,
    /// `stream_options` is not known.
    pub no_stream_options: bool,
    /// `logprobs` is not known.
    pub no_logprobs: bool,
}

/// What was asked of a server beside the messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// How the reply was to be held, and to what.
    pub held: Option<(Guidance, u64)>,
    /// `max_tokens`, by this name.
    pub max_tokens: bool,
    pub repeat_penalty: bool,
    pub stream_options: bool,
    pub logprobs: bool,
}

impl Learned {
    /// How to ask for what has this fingerprint.
    pub fn way(&self, configured: Guidance, fingerprint: u64) -> Guidance {
        match configured {
            Guidance::Auto => *self.ways.get(&fingerprint).unwrap_or(&Guidance::JsonSchema),
            told => told,
        }
    }

    /// Learns of a refusal. Whether the request, asked otherwise, is worth another try at once.
    pub fn refused(&mut self, error: &RemoteError, configured: Guidance, asked: &Asked) -> bool {
        let RemoteError::Status {
            status, message, ..
        } = error
        else {
            return false;
        };
        let text = message.to_lowercase();
        let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let client_error = matches!(status, 400 | 404 | 415 | 422 | 501);
        // llama-server answers 500 to a schema that its grammar can't say, llama-cpp-python to a type that it does not know.
        let about_grammar = *status == 500 && names(&["grammar", "schema", "response_format"]);
        if !client_error && !about_grammar {
            return false;
        }
        if asked.max_tokens && names(&["max_completion_tokens"]) {
            self.new_name_of_max_tokens = true;
            return true;
        }
        if asked.repeat_penalty && names(&["repeat_penalty"]) {
            self.no_repeat_penalty = true;
            return true;
        }
        if asked.stream_options && names(&["stream_options", "include_usage"]) {
            self.no_stream_options = true;
            return true;
        }
        if asked.logprobs && names(&["logprobs"]) {
            self.no_logprobs = true;
            return true;
        }
        let about_guidance = names(&[
            "response_format",
            "json_object",
            "schema",
            "grammar",
            "structured",
            "guided",
        ]);
        match asked.held {
            Some((way, fingerprint)) if configured == Guidance::Auto && about_guidance => {
                // Another request may have learned it meanwhile.
                if self.way(configured, fingerprint) == way {
                    self.leave(way, fingerprint);
                }
                true
            }
            _ => false,
        }
    }

    /// Asks no longer in this way.
    fn leave(&mut self, way: Guidance, fingerprint: u64) {
        let left = match way {
            Guidance::JsonSchema => Guidance::JsonObject,
            _ => Guidance::None,
        };
        if self.ways.len() >= MOST_REFUSALS {
            self.ways.clear();
        }
        self.ways.insert(fingerprint, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, message: &str) -> RemoteError {
        RemoteError::Status {
            endpoint: "http://x".into(),
            status,
            message: message.into(),
            retry_after: None,
        }
    }

    fn asked(way: Guidance) -> Asked {
        Asked {
            held: Some((way, 7)),
            max_tokens: true,
            repeat_penalty: true,
            stream_options: true,
            logprobs: true,
        }
    }

    #[test]
    fn a_schema_that_is_refused_is_asked_for_in_another_way_and_then_not_at_all() {
        let mut learned = Learned::default();
        let auto = Guidance::Auto;
        assert_eq!(learned.way(auto, 7), Guidance::JsonSchema);
        let error = refusal(400, "unknown response_format");
        assert!(learned.refused(&error, auto, &asked(Guidance::JsonSchema)));
        assert_eq!(learned.way(auto, 7), Guidance::JsonObject);
        assert!(learned.refused(&error, auto, &asked(Guidance::JsonObject)));
        assert_eq!(learned.way(auto, 7), Guidance::None);
        assert_eq!(learned.way(auto, 8), Guidance::JsonSchema, "another schema");
    }

    #[test]
    fn of_two_requests_that_are_refused_at_once_the_second_steps_no_further() {
        let mut learned = Learned::default();
        let error = refusal(400, "unknown response_format");
        for _ in 0..2 {
            assert!(learned.refused(&error, Guidance::Auto, &asked(Guidance::JsonSchema)));
        }
        assert_eq!(learned.way(Guidance::Auto, 7), Guidance::JsonObject);
    }

    #[test]
    fn what_was_told_is_not_learned_otherwise() {
        let mut learned = Learned::default();
        let error = refusal(400, "unknown response_format");
        let way = Guidance::JsonSchema;
        assert!(!learned.refused(&error, way, &asked(way)));
        assert_eq!(learned.way(way, 7), way);
    }

    #[test]
    fn other_errors_teach_nothing() {
        let mut learned = Learned::default();
        for error in [
            refusal(401, "response_format"),
            refusal(400, "no such model"),
            refusal(500, "out of memory"),
        ] {
            assert!(!learned.refused(&error, Guidance::Auto, &asked(Guidance::JsonSchema)));
        }
    }

    #[test]
    fn parameters_are_learned_one_by_one() {
        let mut learned = Learned::default();
        let error = refusal(400, "Use 'max_completion_tokens' instead.");
        assert!(learned.refused(&error, Guidance::None, &asked(Guidance::None)));
        assert!(learned.new_name_of_max_tokens);
        let error = refusal(422, "body.stream_options: extra fields not permitted");
        assert!(learned.refused(&error, Guidance::None, &asked(Guidance::None)));
        assert!(learned.no_stream_options && !learned.no_logprobs);
        let error = refusal(400, "unknown parameter `repeat_penalty`: leave it out");
        assert!(learned.refused(&error, Guidance::None, &asked(Guidance::None)));
        assert!(learned.no_repeat_penalty);
    }
}
