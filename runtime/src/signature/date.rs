//! Dates and times as data: how they are written, and which of what is so written exist. No calendar library is needed for it.

/// What a date or time says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DateKind {
    /// A day: `2024-02-29`.
    Date,
    /// A time of day: `23:59:59`, with a fraction of up to nine digits where it has one.
    Time,
    /// A day and a time, of no known zone: `2024-02-29T23:59:59`.
    DateTime,
    /// A moment, in UTC: `2024-02-29T23:59:59Z`.
    Utc,
}

impl DateKind {
    /// Its name in the prompt.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DateKind::Date => "date",
            DateKind::Time => "time",
            DateKind::DateTime | DateKind::Utc => "datetime",
        }
    }

    /// How it is written, in the words that people know.
    #[must_use]
    pub fn layout(self) -> &'static str {
        match self {
            DateKind::Date => "YYYY-MM-DD",
            DateKind::Time => "HH:MM:SS",
            DateKind::DateTime => "YYYY-MM-DDTHH:MM:SS",
            DateKind::Utc => "YYYY-MM-DDTHH:MM:SSZ",
        }
    }

    /// What a text that is none was expected to be.
    pub(super) const fn expected(self) -> &'static str {
        match self {
            DateKind::Date => "a date as YYYY-MM-DD",
            DateKind::Time => "a time as HH:MM:SS",
            DateKind::DateTime => "a date and time as YYYY-MM-DDTHH:MM:SS",
            DateKind::Utc => "a date and time as YYYY-MM-DDTHH:MM:SSZ",
        }
    }

    /// Whether a text is one that exists, written so; what [`DateKind::regex`] matches, where there is no time to compile it.
    pub(super) const fn holds(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let mut at = 0;
        if self.has_day() {
            let day = (
                number(bytes, 0, 4),
                number(bytes, 5, 2),
                number(bytes, 8, 2),
            );
            let (Some(year), Some(month), Some(day)) = day else {
                return false;
            };
            if bytes[4] != b'-' || bytes[7] != b'-' || day < 1 || day > days_of(year, month) {
                return false;
            }
            at = 10;
        }
        if self.has_day() && self.has_time() {
            if at >= bytes.len() || bytes[at] != b'T' {
                return false;
            }
            at += 1;
        }
        if self.has_time() {
            let time = (
                number(bytes, at, 2),
                number(bytes, at + 3, 2),
                number(bytes, at + 6, 2),
            );
            let (Some(hour), Some(minute), Some(second)) = time else {
                return false;
            };
            if bytes[at + 2] != b':'
                || bytes[at + 5] != b':'
                || hour > 23
                || minute > 59
                || second > 59
            {
                return false;
            }
            at += 8;
            if at < bytes.len() && bytes[at] == b'.' {
                let first = at + 1;
                at = first;
                while at < bytes.len() && bytes[at].is_ascii_digit() {
                    at += 1;
                }
                if at == first || at > first + 9 {
                    return false;
                }
            }
        }
        if matches!(self, DateKind::Utc) {
            if at >= bytes.len() || bytes[at] != b'Z' {
                return false;
            }
            at += 1;
        }
        at == bytes.len()
    }

    /// Whether it begins with a day.
    #[must_use]
    pub const fn has_day(self) -> bool {
        !matches!(self, DateKind::Time)
    }

    /// Whether it has a time of day.
    #[must_use]
    pub const fn has_time(self) -> bool {
        !matches!(self, DateKind::Date)
    }

    /// A regular expression for exactly those that exist.
    #[must_use]
    pub fn regex(self, with_fraction: bool) -> String {
        const DAY: &str = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)\
            |02-(0[1-9]|1[0-9]|2[0-8]))\
            |([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
        const TIME: &str = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
        let fraction = if with_fraction {
            r"(\.[0-9]{1,9})?"
        } else {
            ""
        };
        match self {
            DateKind::Date => DAY.into(),
            DateKind::Time => format!("{TIME}{fraction}"),
            DateKind::DateTime => format!("{DAY}T{TIME}{fraction}"),
            DateKind::Utc => format!("{DAY}T{TIME}{fraction}Z"),
        }
    }
}

/// The number that `count` digits at `from` write, if they are there.
const fn number(bytes: &[u8], from: usize, count: usize) -> Option<u32> {
    if from + count > bytes.len() {
        return None;
    }
    let (mut at, mut number) = (from, 0);
    while at < from + count {
        if !bytes[at].is_ascii_digit() {
            return None;
        }
        number = number * 10 + (bytes[at] - b'0') as u32;
        at += 1;
    }
    Some(number)
}

/// Days of a month; 0 if there is no such month.
#[must_use]
pub(crate) const fn days_of(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expression_takes_exactly_the_days_that_exist() {
        let regex = regex::Regex::new(&format!("^(?:{})$", DateKind::Date.regex(true))).unwrap();
        for year in [
            0, 4, 100, 400, 1900, 1999, 2000, 2023, 2024, 2096, 2100, 9999,
        ] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let exists = day >= 1 && day <= days_of(year, month);
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    assert_eq!(regex.is_match(&text), exists, "{text}");
                    assert_eq!(DateKind::Date.holds(&text), exists, "{text}");
                }
            }
        }
    }

    #[test]
    fn times_end_before_midnight() {
        let regex = regex::Regex::new(&format!("^(?:{})$", DateKind::Utc.regex(true))).unwrap();
        for (text, exists) in [
            ("2024-02-29T23:59:59Z", true),
            ("2024-02-29T00:00:00.123456789Z", true),
            ("2024-02-29T24:00:00Z", false),
            ("2024-02-29T23:60:00Z", false),
            ("2024-02-29T23:59:60Z", false),
            ("2024-02-29T23:59:59", false),
            ("2024-02-29 23:59:59Z", false),
        ] {
            assert_eq!(regex.is_match(text), exists, "{text}");
            assert_eq!(DateKind::Utc.holds(text), exists, "{text}");
        }
    }

    #[test]
    fn a_text_holds_where_the_expression_matches() {
        let texts = [
            "",
            "2024-02-29",
            "2024-02-29T",
            "23:59:59",
            "23:59",
            "23:59:5",
            "23:59:59.",
            "23:59:59.5",
            "2024-02-29T23:59:59.1234567890",
            "2024-02-29T23:59:59",
            "2024-2-29",
            "2024-02-29Z",
            "T23:59:59",
            "é024-02-29",
            "2024-02-29T23:59:59ZZ",
        ];
        for kind in [
            DateKind::Date,
            DateKind::Time,
            DateKind::DateTime,
            DateKind::Utc,
        ] {
            let regex = regex::Regex::new(&format!("^(?:{})$", kind.regex(true))).unwrap();
            for text in texts {
                assert_eq!(kind.holds(text), regex.is_match(text), "{kind:?} {text}");
            }
        }
    }
}
