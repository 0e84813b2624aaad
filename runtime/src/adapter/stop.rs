//! Stop texts: where a reply is cut, in the engine while it generates and in the text that a reader gets.

use std::sync::Arc;

use crate::engine::{DecodeStream, LogitsMask, MaskEnd, MaskError, MaskStep, TokenId, Tokenizer};

/// Texts at which a reply ends. None of them is empty.
#[derive(Debug, Clone)]
pub(super) struct StopTexts(Arc<[String]>);

impl StopTexts {
    /// `None` without any: there is nothing to look for.
    pub fn new(texts: &[String]) -> Option<Self> {
        let texts: Vec<_> = texts
            .iter()
            .filter(|text| !text.is_empty())
            .cloned()
            .collect();
        (!texts.is_empty()).then(|| StopTexts(texts.into()))
    }

    /// Byte at which the first of them begins in a text.
    pub fn find(&self, text: &str) -> Option<usize> {
        self.0.iter().filter_map(|stop| text.find(stop)).min()
    }

    /// Bytes at the end of a text that one of them may begin with.
    pub fn begun(&self, text: &str) -> usize {
        let longest = |stop: &String| {
            let ends = stop.char_indices().skip(1).map(|(at, _)| at);
            ends.filter(|end| text.ends_with(&stop[..*end])).max()
        };
        self.0.iter().filter_map(longest).max().unwrap_or(0)
    }
}

/// Ends a reply with the token that completes a stop text; in between it does what the mask within does, if there is one.
pub(super) struct StopMask {
    texts: StopTexts,
    decoder: DecodeStream,
    /// The end of the text so far that a stop text may begin with.
    begun: String,
    within: Option<Box<dyn LogitsMask>>,
}

impl StopMask {
    pub fn new(
        texts: StopTexts,
        tokenizer: &Arc<Tokenizer>,
        within: Option<Box<dyn LogitsMask>>,
    ) -> Self {
        StopMask {
            texts,
            decoder: tokenizer.decode_stream(),
            begun: String::new(),
            within,
        }
    }

    /// Cuts a step after the token that completes a stop text.
    fn watched(&mut self, mut step: MaskStep) -> MaskStep {
        for at in 0..step.tokens.len() {
            self.begun.push_str(&self.decoder.push(step.tokens[at]));
            if self.texts.find(&self.begun).is_some() {
                step.tokens.truncate(at + 1);
                step.end = Some(MaskEnd::Complete);
                break;
            }
            let keep = self.texts.begun(&self.begun);
            self.begun.drain(..self.begun.len() - keep);
        }
        step
    }
}

impl LogitsMask for StopMask {
    fn start(&mut self, budget: usize) -> Result<MaskStep, MaskError> {
        let step = match &mut self.within {
            Some(mask) => mask.start(budget)?,
            None => MaskStep::default(),
        };
        Ok(self.watched(step))
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        match &mut self.within {
            Some(mask) => mask.apply(logits),
            None => Ok(()),
        }
    }

    fn bits(&mut self, vocabulary: usize) -> Result<Option<Vec<u32>>, MaskError> {
        match &mut self.within {
            Some(mask) => mask.bits(vocabulary),
            None => Ok(None),
        }
    }

    fn few(&mut self, most: usize) -> Option<Vec<TokenId>> {
        self.within.as_mut()?.few(most)
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        let step = match &mut self.within {
            Some(mask) => mask.accept(token, budget)?,
            None => MaskStep {
                tokens: vec![token],
                end: None,
            },
        };
        Ok(self.watched(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> StopTexts {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        StopTexts::new(&texts).expect("some")
    }

    #[test]
    fn the_earliest_stop_text_cuts() {
        let stops = texts(&["END", "b"]);
        assert_eq!(stops.find("aaENDb"), Some(2));
        assert_eq!(stops.find("abEND"), Some(1));
        assert_eq!(stops.find("EN"), None);
    }

    #[test]
    fn what_a_stop_text_may_begin_with_is_held() {
        let stops = texts(&["\n\nObs", "é!"]);
        assert_eq!(stops.begun("text\n"), 1);
        assert_eq!(stops.begun("text\n\nOb"), 4);
        assert_eq!(stops.begun("é"), 2);
        assert_eq!(stops.begun("text"), 0);
        // A whole one is found, not begun.
        assert_eq!(stops.begun("\n\nObs"), 0);
    }

    #[test]
    fn empty_texts_stop_nothing() {
        assert!(StopTexts::new(&[String::new()]).is_none());
        assert!(StopTexts::new(&[]).is_none());
    }
}
