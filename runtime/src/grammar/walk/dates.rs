//! Dates and times by how they begin: how many there are.

use crate::signature::{DateKind, days_of};

/// How many dates' texts, without fractions of seconds, begin with `text`. The grammar allows no others than such beginnings.
pub(super) fn dates(kind: DateKind, text: &[u8]) -> u128 {
    let (day, time) = match (kind.has_day(), text.get(11..)) {
        (false, _) => (b"".as_slice(), text),
        (true, Some(time)) => (&text[..10], time),
        (true, None) => (&text[..text.len().min(10)], b"".as_slice()),
    };
    let days = if kind.has_day() { days(day) } else { 1 };
    let times = if kind.has_time() { times(time) } else { 1 };
    days * times
}

fn days(text: &[u8]) -> u128 {
    let (year, month, day) = (part(text, 0, 4), part(text, 5, 7), part(text, 8, 10));
    let mut count = 0u128;
    for y in range(year, 4, 0, 9999) {
        for m in range(month, 2, 1, 12) {
            let days = range(day, 2, 1, days_of(y, m));
            count += days.count() as u128;
        }
    }
    count
}

fn times(text: &[u8]) -> u128 {
    [(0, 23), (3, 59), (6, 59)]
        .into_iter()
        .map(|(at, most)| range(part(text, at, at + 2), 2, 0, most).count() as u128)
        .product()
}

/// As much of a number's digits as there are.
fn part(text: &[u8], from: usize, to: usize) -> &[u8] {
    text.get(from..to.min(text.len())).unwrap_or_default()
}

/// The numbers from `least` to `most` of `width` digits that begin with these.
fn range(begin: &[u8], width: u32, least: u32, most: u32) -> impl Iterator<Item = u32> {
    let known = std::str::from_utf8(begin).ok().and_then(|text| {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse::<u32>().ok()
        }
    });
    let unit = 10u32.pow(width.saturating_sub(begin.len() as u32));
    let (from, to) = match known {
        Some(known) => (known * unit, known * unit + (unit - 1)),
        None => (1, 0),
    };
    from.max(least)..=to.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_by_how_they_begin() {
        for (text, count) in [
            ("", 3_652_425),
            ("2", 365_243),
            ("2024", 366),
            ("2023-", 365),
            ("2024-0", 31 + 29 + 31 + 30 + 31 + 30 + 31 + 31 + 30),
            ("2024-02-", 29),
            ("2024-02-2", 10),
            ("2023-02-2", 9),
            ("2023-02-28", 1),
        ] {
            assert_eq!(dates(DateKind::Date, text.as_bytes()), count, "{text}");
        }
    }

    #[test]
    fn times_follow_days() {
        assert_eq!(dates(DateKind::Time, b"2"), 4 * 3600);
        assert_eq!(dates(DateKind::Time, b"23:59:5"), 10);
        assert_eq!(dates(DateKind::Utc, b"2024-02-29"), 86_400);
        assert_eq!(dates(DateKind::DateTime, b"2024-02-29T"), 86_400);
        assert_eq!(dates(DateKind::Utc, b"2024-02-29T23:59:59"), 1);
        assert_eq!(dates(DateKind::Utc, b"2024-02-29T23:59:59Z\""), 1);
    }
}
