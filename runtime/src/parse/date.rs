//! Dates and times out of text, to the one form in which they are written. What could be two dates is an error with both.

use crate::signature::{DateKind, days_of};

/// What a text is read as.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// In the one form, and whether it was in another.
    Date(String, bool),
    /// Both are as likely.
    Ambiguous([String; 2]),
    /// Something is missing or too much, as it says.
    No(&'static str),
}

/// No date is longer.
const LONGEST: usize = 64;

/// Reads a text that is all a date of this kind.
pub(super) fn read(kind: DateKind, text: &str) -> Reading {
    if text.len() > LONGEST || !text.is_ascii() {
        return Reading::No("no date or time is written so");
    }
    let upper = text.to_ascii_uppercase();
    let (day, time) = match (kind.has_day(), kind.has_time()) {
        (true, false) => (Some(upper.as_str()), None),
        (false, _) => (None, Some(upper.as_str())),
        (true, true) => match split(&upper) {
            Some((day, time)) => (Some(day), Some(time)),
            None => return Reading::No("it needs a date and a time"),
        },
    };
    let days = match day.map(days) {
        None => Vec::new(),
        Some(Some(days)) => days,
        Some(None) => return Reading::No("no day that exists is written so"),
    };
    let clock = match time.map(clock) {
        None => None,
        Some(Some(clock)) => Some(clock),
        Some(None) => return Reading::No("no time that exists is written so"),
    };
    let mut written = Vec::new();
    for day in days.iter().map(Some).chain(days.is_empty().then_some(None)) {
        match write(kind, day, clock.as_ref()) {
            Ok(text) => written.push(text),
            Err(problem) => return Reading::No(problem),
        }
    }
    match (written.pop(), written.pop()) {
        (Some(second), Some(first)) => Reading::Ambiguous([first, second]),
        (Some(only), None) => {
            let differs = only != text;
            Reading::Date(only, differs)
        }
        (None, _) => Reading::No("no date or time is written so"),
    }
}

fn write(kind: DateKind, day: Option<&Day>, clock: Option<&Clock>) -> Result<String, &'static str> {
    let time = clock.map(|clock| {
        let (hour, rest) = (clock.minutes / 60, clock.minutes % 60);
        format!("{hour:02}:{rest:02}:{:02}{}", clock.second, clock.fraction)
    });
    let zone = clock.and_then(|clock| clock.zone);
    match (kind, day, time, zone) {
        (DateKind::Date, Some(day), _, _) => Ok(day.to_string()),
        (DateKind::Time, _, Some(time), None) => Ok(time),
        (DateKind::DateTime, Some(day), Some(time), None) => Ok(format!("{day}T{time}")),
        (DateKind::Time | DateKind::DateTime, _, _, Some(_)) => {
            Err("it names a zone, and there is no room for one")
        }
        (DateKind::Utc, _, _, None) => Err("it needs a zone: `Z`, or an offset such as `+02:00`"),
        (DateKind::Utc, Some(day), _, Some(offset)) => {
            let Some(clock) = clock else {
                return Err("it needs a time");
            };
            let (day, minutes) = day
                .shifted(i64::from(clock.minutes) - i64::from(offset))
                .ok_or("the year has more than four digits in UTC")?;
            let (hour, rest) = (minutes / 60, minutes % 60);
            Ok(format!(
                "{day}T{hour:02}:{rest:02}:{:02}{}Z",
                clock.second, clock.fraction
            ))
        }
        _ => Err("no date or time is written so"),
    }
}

/// Date and time: at a `T`, or at the last blank before the first colon.
fn split(text: &str) -> Option<(&str, &str)> {
    let colon = text.find(':')?;
    let at = text[..colon].rfind(['T', ' '])?;
    Some((text[..at].trim_end_matches([',', ' ']), &text[at + 1..]))
}

/// A day that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    year: u32,
    month: u32,
    day: u32,
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Day {
    fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let exists = year <= 9999 && (1..=days_of(year, month)).contains(&day);
        exists.then_some(Day { year, month, day })
    }

    /// The day and minute that many minutes after this day began: at most a day before or after.
    fn shifted(self, minutes: i64) -> Option<(Self, i64)> {
        const MINUTES: i64 = 24 * 60;
        if minutes < 0 {
            return Some((self.before()?, minutes + MINUTES));
        }
        if minutes >= MINUTES {
            return Some((self.after()?, minutes - MINUTES));
        }
        Some((self, minutes))
    }

    fn after(self) -> Option<Self> {
        Day::new(self.year, self.month, self.day + 1)
            .or_else(|| Day::new(self.year, self.month + 1, 1))
            .or_else(|| Day::new(self.year + 1, 1, 1))
    }

    fn before(self) -> Option<Self> {
        if self.day > 1 {
            return Day::new(self.year, self.month, self.day - 1);
        }
        let (year, month) = match self.month {
            1 => (self.year.checked_sub(1)?, 12),
            month => (self.year, month - 1),
        };
        Day::new(year, month, days_of(year, month))
    }
}

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// The days that a text can mean: the year first, a month by name, or two readings of `3/4/2024`.
fn days(text: &str) -> Option<Vec<Day>> {
    let parts: Vec<&str> = text
        .split(['-', '/', '.', ' ', ','])
        .filter(|part| !part.is_empty())
        .collect();
    let [a, b, c] = *parts.as_slice() else {
        return None;
    };
    let year = |part: &str| if part.len() == 4 { number(part) } else { None };
    let small = |part: &str| if part.len() <= 2 { number(part) } else { None };
    let one = |day: Option<Day>| day.map(|day| vec![day]);
    if let Some(year) = year(a) {
        return one(Day::new(year, small(b)?, small(c)?));
    }
    let year = year(c)?;
    if let Some(month) = month(a) {
        return one(Day::new(year, month, ordinal(b)?));
    }
    if let Some(month) = month(b) {
        return one(Day::new(year, month, ordinal(a)?));
    }
    let (a, b) = (small(a)?, small(b)?);
    let mut days: Vec<Day> = Day::new(year, a, b).into_iter().collect();
    days.extend(Day::new(year, b, a).filter(|day| !days.contains(day)));
    (!days.is_empty()).then_some(days)
}

fn month(word: &str) -> Option<u32> {
    let long = word.len() >= 3;
    let at = MONTHS
        .iter()
        .position(|name| *name == word || (long && name.starts_with(word) && word.len() <= 4))?;
    Some(at as u32 + 1)
}

/// `5`, `5TH`.
fn ordinal(word: &str) -> Option<u32> {
    let digits = ["ST", "ND", "RD", "TH"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word);
    if digits.len() <= 2 {
        number(digits)
    } else {
        None
    }
}

fn number(digits: &str) -> Option<u32> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// A time of day.
struct Clock {
    minutes: u32,
    second: u32,
    /// With its point.
    fraction: String,
    /// Minutes east of UTC.
    zone: Option<i32>,
}

fn clock(text: &str) -> Option<Clock> {
    let (text, zone) = zone(text.trim())?;
    let (text, half) = match text.strip_suffix("AM").or(text.strip_suffix("A.M.")) {
        Some(rest) => (rest.trim_end(), Some(0)),
        None => match text.strip_suffix("PM").or(text.strip_suffix("P.M.")) {
            Some(rest) => (rest.trim_end(), Some(12)),
            None => (text, None),
        },
    };
    let (text, fraction) = match text.split_once('.') {
        Some((text, digits)) => {
            number(digits.get(..digits.len().min(9))?)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 9;
            (text, plain.then(|| format!(".{digits}"))?)
        }
        None => (text, String::new()),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let part = |part: &str, most: u32| {
        let short = part.len() <= 2;
        number(part).filter(|n| short && *n <= most)
    };
    let (hour, minute, second) = match *parts.as_slice() {
        [hour, minute] if fraction.is_empty() => (part(hour, 23)?, part(minute, 59)?, 0),
        [hour, minute, second] => (part(hour, 23)?, part(minute, 59)?, part(second, 59)?),
        _ => return None,
    };
    let hour = match half {
        None => hour,
        Some(half) => half + Some(hour).filter(|hour| (1..=12).contains(hour))? % 12,
    };
    Some(Clock {
        minutes: hour * 60 + minute,
        second,
        fraction,
        zone,
    })
}

/// The zone at a time's end: `Z`, `UTC`, `GMT`, `+02:00`, `-0530`.
fn zone(text: &str) -> Option<(&str, Option<i32>)> {
    for name in ["UTC", "GMT", "Z"] {
        if let Some(rest) = text.strip_suffix(name) {
            return Some((rest.trim_end(), Some(0)));
        }
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, None));
    };
    let digits = text[at + 1..].replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(&digits[..2])?, number(&digits[2..])?),
        _ => return None,
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    let offset = (hours * 60 + minutes) as i32;
    let offset = if text[at..].starts_with('-') {
        -offset
    } else {
        offset
    };
    Some((text[..at].trim_end(), Some(offset)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_form_is_read_as_it_is() {
        for (kind, text) in [
            (DateKind::Date, "2024-02-29"),
            (DateKind::Time, "23:59:59"),
            (DateKind::Time, "00:00:00.120"),
            (DateKind::DateTime, "0000-01-01T00:00:00"),
            (DateKind::Utc, "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(read(kind, text), Reading::Date(text.into(), false));
        }
    }

    #[test]
    fn other_spellings_with_one_meaning_are_read() {
        for (kind, text, meant) in [
            (DateKind::Date, "2024/3/5", "2024-03-05"),
            (DateKind::Date, "5 March 2024", "2024-03-05"),
            (DateKind::Date, "Sept 5th, 2024", "2024-09-05"),
            (DateKind::Date, "25.12.2024", "2024-12-25"),
            (DateKind::Date, "12/25/2024", "2024-12-25"),
            (DateKind::Date, "4/4/2024", "2024-04-04"),
            (DateKind::Time, "9:05", "09:05:00"),
            (DateKind::Time, "12:30 am", "00:30:00"),
            (DateKind::Time, "12:30:01 PM", "12:30:01"),
            (
                DateKind::DateTime,
                "2024-03-05 10:00",
                "2024-03-05T10:00:00",
            ),
            (
                DateKind::DateTime,
                "March 5, 2024, 1:00 PM",
                "2024-03-05T13:00:00",
            ),
            (
                DateKind::Utc,
                "2024-12-31T23:30:00-01:00",
                "2025-01-01T00:30:00Z",
            ),
            (
                DateKind::Utc,
                "2024-03-01T01:30:00.5+0200",
                "2024-02-29T23:30:00.5Z",
            ),
            (
                DateKind::Utc,
                "2024-03-01 01:30 UTC",
                "2024-03-01T01:30:00Z",
            ),
        ] {
            assert_eq!(
                read(kind, text),
                Reading::Date(meant.into(), true),
                "{text}"
            );
        }
    }

    #[test]
    fn two_meanings_are_both_shown() {
        let both = ["2024-03-04".to_owned(), "2024-04-03".to_owned()];
        assert_eq!(read(DateKind::Date, "03/04/2024"), Reading::Ambiguous(both));
    }

    #[test]
    fn what_does_not_exist_or_lacks_something_is_none() {
        for (kind, text) in [
            (DateKind::Date, "2023-02-29"),
            (DateKind::Date, "24-03-05"),
            (DateKind::Date, "March 2024"),
            (DateKind::Date, "2024-03-05T10:00:00"),
            (DateKind::Time, "24:00:00"),
            (DateKind::Time, "13:00 PM"),
            (DateKind::Time, "10:00:00Z"),
            (DateKind::DateTime, "2024-03-05"),
            (DateKind::DateTime, "2024-03-05T10:00:00Z"),
            (DateKind::Utc, "2024-03-05T10:00:00"),
            (DateKind::Utc, "0000-01-01T00:00:00+01:00"),
            (DateKind::Date, ""),
            (DateKind::Time, "."),
            (DateKind::Time, "1:2:3.é"),
        ] {
            assert!(matches!(read(kind, text), Reading::No(_)), "{text}");
        }
    }
}
