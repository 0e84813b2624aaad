//! Server-sent events out of bytes, as they come: lines with bounds.

/// Most bytes of one event.
const MOST_EVENT: usize = 2 << 20;

/// Reads events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
}

/// Why a stream of events can't be read on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadEvents {
    /// An event beyond the bound.
    TooLong(usize),
    /// Data that is no UTF-8.
    NoText,
}

impl Events {
    /// Takes bytes and gives the data of the events that they complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, BadEvents> {
        let mut events = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + self.data.len() + part.len() > MOST_EVENT {
                return Err(BadEvents::TooLong(MOST_EVENT));
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                events.extend(self.take_line(&line)?);
            }
        }
        Ok(events)
    }

    /// The event that the end of the stream completes.
    pub fn finish(&mut self) -> Result<Option<String>, BadEvents> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.take_line(&line)?;
        }
        self.dispatch()
    }

    fn take_line(&mut self, line: &[u8]) -> Result<Option<String>, BadEvents> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return self.dispatch();
        }
        // Comments, ids and names of events say nothing here.
        if let Some(data) = line.strip_prefix(b"data:") {
            if self.has_data {
                self.data.push(b'\n');
            }
            self.has_data = true;
            self.data
                .extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Result<Option<String>, BadEvents> {
        if !std::mem::take(&mut self.has_data) {
            return Ok(None);
        }
        let data = std::mem::take(&mut self.data);
        String::from_utf8(data)
            .map(Some)
            .map_err(|_| BadEvents::NoText)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], size: usize) -> Result<Vec<String>, BadEvents> {
        let mut events = Events::default();
        let mut all = Vec::new();
        for chunk in bytes.chunks(size) {
            all.extend(events.feed(chunk)?);
        }
        all.extend(events.finish()?);
        Ok(all)
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let bytes = ": hello\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nevent: x\ndata:é\n\n\n\nid: 3\n\ndata: end".as_bytes();
        let whole = all(bytes, bytes.len()).expect("events");
        assert_eq!(whole, ["{\"a\":\n1}", "é", "end"]);
        for size in 1..9 {
            assert_eq!(all(bytes, size).expect("events"), whole, "{size}");
        }
    }

    #[test]
    fn endless_lines_and_broken_text_are_refused() {
        let line = vec![b'x'; MOST_EVENT + 1];
        assert_eq!(all(&line, 4096), Err(BadEvents::TooLong(MOST_EVENT)));
        let lines = b"data: 0123456789\n".repeat(MOST_EVENT / 8);
        assert_eq!(all(&lines, 4096), Err(BadEvents::TooLong(MOST_EVENT)));
        assert_eq!(all(b"data: \xff\n\n", 3), Err(BadEvents::NoText));
    }
}
