//! chrono's dates and times as field types: feature `chrono`. Years are those of four digits.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

use super::super::{DateKind, FieldType, FieldValue, Known, Value, ValueError};

macro_rules! dates {
    ($($date:ty: $kind:ident, $expected:literal, $write:expr;)*) => {$(
        impl FieldValue for $date {
            const TYPE: &'static FieldType = &FieldType::Date(DateKind::$kind);
            const KNOWN: Known = Known::of::<Self>();

            fn from_value(value: Value) -> Result<Self, ValueError> {
                match value {
                    Value::String(text) => text.parse().map_err(|error| {
                        ValueError::new(format!(concat!("expected ", $expected, ", found {:?}: {}"), text, error))
                    }),
                    other => Err(ValueError::expected($expected, &other)),
                }
            }

            fn into_value(self) -> Value {
                let write: fn(Self) -> String = $write;
                Value::String(write(self))
            }
        }
    )*};
}

dates! {
    NaiveDate: Date, "a date", |date| date.to_string();
    NaiveTime: Time, "a time of day", |time| format!("{time:?}");
    NaiveDateTime: DateTime, "a date and time", |moment| format!("{moment:?}");
    DateTime<Utc>: Utc, "a date and time in UTC", |moment| moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
}
