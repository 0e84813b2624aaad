//! `Retry-After`: seconds, or a date.

use std::time::{Duration, SystemTime};

/// No server keeps a client waiting longer than this, whatever it says.
const MOST: Duration = Duration::from_secs(300);

/// How long to wait, by the header's text and the time that it is now.
pub(super) fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) if seconds >= 0.0 => Duration::try_from_secs_f64(seconds).unwrap_or(MOST),
        Ok(_) => return None,
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(now).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").expect("a date");
        let seconds = Duration::from_secs;
        for (text, wait) in [
            ("7", Some(seconds(7))),
            (" 0.5 ", Some(Duration::from_millis(500))),
            ("1e300", Some(MOST)),
            ("inf", Some(MOST)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(seconds(30))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(seconds(0))),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(MOST)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), wait, "{text}");
        }
    }
}
