//! Text put together by constant evaluation, for the message of a panic.

/// Text of limited length; what is too long is cut off.
#[derive(Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; Text::MOST],
    len: usize,
}

impl Text {
    const MOST: usize = 1024;

    pub(super) const fn new() -> Self {
        Text {
            bytes: [0; Text::MOST],
            len: 0,
        }
    }

    pub(super) const fn as_str(&self) -> &str {
        let (whole, _) = self.bytes.split_at(self.len);
        match str::from_utf8(whole) {
            Ok(text) => text,
            Err(_) => "a value is wrong",
        }
    }

    pub(super) const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            // A character is kept whole or not at all.
            let starts = text[at] & 0b1100_0000 != 0b1000_0000;
            if starts && self.len + 4 > Text::MOST {
                break;
            }
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    /// The text in quotes, its line breaks shown.
    pub(super) const fn quoted(self, text: &str) -> Self {
        let mut out = self.text("\"");
        let mut rest = text;
        loop {
            let bytes = rest.as_bytes();
            let mut at = 0;
            while at < bytes.len() && bytes[at] != b'\n' {
                at += 1;
            }
            let (line, more) = rest.split_at(at);
            out = out.text(line);
            if more.is_empty() {
                return out.text("\"");
            }
            out = out.text("\\n");
            (_, rest) = more.split_at(1);
        }
    }

    pub(super) const fn uint(self, number: u128) -> Self {
        let mut digits = [0; 39];
        let mut at = digits.len();
        let mut left = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        let (_, digits) = digits.split_at(at);
        match str::from_utf8(digits) {
            Ok(digits) => self.text(digits),
            Err(_) => self,
        }
    }

    pub(super) const fn int(self, number: i128) -> Self {
        let out = if number < 0 { self.text("-") } else { self };
        out.uint(number.unsigned_abs())
    }

    /// With at most six decimals.
    pub(super) const fn float(self, number: f64) -> Self {
        let (out, size) = if number < 0.0 {
            (self.text("-"), -number)
        } else {
            (self, number)
        };
        if size.is_nan() || size >= 1e18 {
            return out.text("a very large number");
        }
        let millionths = (size * 1e6 + 0.5) as u128;
        let (mut decimals, mut places) = (millionths % 1_000_000, 6);
        while places > 1 && decimals % 10 == 0 {
            decimals /= 10;
            places -= 1;
        }
        let mut out = out.uint(millionths / 1_000_000).text(".");
        while places > 1 && decimals < 10u128.pow(places - 1) {
            out = out.text("0");
            places -= 1;
        }
        out.uint(decimals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_usual() {
        for (number, text) in [
            (0.0, "0.0"),
            (1.5, "1.5"),
            (-0.25, "-0.25"),
            (10.003, "10.003"),
            (3.000_001, "3.000001"),
            (1e30, "a very large number"),
        ] {
            assert_eq!(Text::new().float(number).as_str(), text);
        }
        assert_eq!(Text::new().int(i128::MIN).as_str(), i128::MIN.to_string());
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = "é".repeat(2000);
        let cut = Text::new().text(&long);
        assert!(cut.as_str().len() > 1000 && cut.as_str().chars().all(|c| c == 'é'));
    }

    #[test]
    fn quoted_text_stays_on_one_line() {
        assert_eq!(Text::new().quoted("a\nb\n").as_str(), "\"a\\nb\\n\"");
    }
}
