//! Dates and times as field types: prompt, schema, grammar, parser and chrono agree.

use std::collections::BTreeSet;

use candle_signature::CandleSignature;
use candle_signature::parse::{ErrorKind, RepairKind, parse_reply};
use candle_signature::prompt::type_name;
use candle_signature::signature::{
    FieldType, FieldValue, Signature, SignatureSpec, Value, json_schema,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use proptest::prelude::*;
use serde_json::json;

/// When is it?
#[derive(CandleSignature, Debug)]
struct Meeting {
    #[input]
    mail: String,
    #[output]
    day: NaiveDate,
    #[output]
    from: Option<NaiveTime>,
    #[output]
    entered: NaiveDateTime,
    #[output]
    sent: DateTime<Utc>,
    #[output]
    holidays: BTreeSet<NaiveDate>,
}

fn one(ty: &str) -> SignatureSpec {
    SignatureSpec::from_json(&json!({"outputs": [{"name": "x", "type": ty}]})).unwrap()
}

fn read(ty: &str, text: &str) -> Result<(Value, Vec<RepairKind>), ErrorKind> {
    let reply = format!("[[ ## x ## ]]\n{text}\n\n[[ ## completed ## ]]");
    match parse_reply(&one(ty), &reply) {
        Ok(parsed) => Ok((
            parsed.values.get("x").unwrap().clone(),
            parsed.repairs.iter().map(|repair| repair.kind).collect(),
        )),
        Err(error) => Err(error.errors[0].kind),
    }
}

#[test]
fn a_reply_with_dates_becomes_chrono_values() {
    let reply = "[[ ## day ## ]]\n2024-02-29\n\n[[ ## from ## ]]\n09:30:00\n\n[[ ## entered ## ]]\n2024-02-01T10:00:00.5\n\n\
        [[ ## sent ## ]]\n2024-02-01T10:00:00Z\n\n[[ ## holidays ## ]]\n[\"2024-12-25\", \"2024-12-26\"]\n\n[[ ## completed ## ]]";
    let out = Meeting::parse(reply).unwrap();
    assert_eq!(out.day, NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
    assert_eq!(out.from, NaiveTime::from_hms_opt(9, 30, 0));
    assert_eq!(out.entered.to_string(), "2024-02-01 10:00:00.500");
    assert_eq!(out.sent.to_rfc3339(), "2024-02-01T10:00:00+00:00");
    assert_eq!(out.holidays.len(), 2);
}

#[test]
fn prompt_and_schema_say_how_they_are_written() {
    let spec = Meeting::SPEC;
    let notes: Vec<String> = spec
        .outputs
        .iter()
        .map(|field| type_name(&field.ty))
        .collect();
    assert_eq!(
        notes,
        [
            "date",
            "Optional[time]",
            "datetime",
            "datetime",
            "list[date]"
        ]
    );
    assert_eq!(
        json_schema(NaiveDate::TYPE),
        json!({"type": "string", "format": "date"})
    );
    assert_eq!(
        json_schema(<DateTime<Utc>>::TYPE),
        json!({"type": "string", "format": "date-time"})
    );
}

#[test]
fn other_notations_are_read_and_said() {
    let noted = vec![RepairKind::DateNotation];
    for (ty, text, meant) in [
        ("date", "March 5, 2024", "2024-03-05"),
        ("date", "25/12/2024", "2024-12-25"),
        ("time", "9:05 pm", "21:05:00"),
        ("datetime", "2024-03-05 10:00", "2024-03-05T10:00:00"),
        ("utc", "2024-03-05T10:00:00+02:00", "2024-03-05T08:00:00Z"),
    ] {
        assert_eq!(
            read(ty, text),
            Ok((Value::String(meant.into()), noted.clone())),
            "{text}"
        );
    }
    let quoted = read("date", "**2024-03-05**").unwrap();
    assert_eq!(quoted.0, Value::String("2024-03-05".into()));
    let all = read("Vec<date>", "[\"2024-03-05\", \"2024-03-06\"]").unwrap();
    assert_eq!(all.1, vec![]);
}

#[test]
fn what_could_be_two_days_or_none_is_an_error() {
    assert_eq!(read("date", "03/04/2024"), Err(ErrorKind::Ambiguous));
    for (ty, text) in [
        ("date", "2023-02-29"),
        ("date", "tomorrow"),
        ("time", "25:00:00"),
        ("utc", "2024-03-05T10:00:00"),
        ("datetime", "2024-03-05T10:00:00Z"),
    ] {
        assert_eq!(read(ty, text), Err(ErrorKind::Type), "{text}");
    }
}

fn back<T: FieldValue + Clone + PartialEq + std::fmt::Debug>(
    value: T,
) -> Result<(), TestCaseError> {
    let ty = match T::TYPE {
        FieldType::Date(_) => T::TYPE,
        other => panic!("{other:?}"),
    };
    let spec = SignatureSpec {
        outputs: vec![candle_signature::signature::FieldSpec::owned(
            "x",
            "",
            ty.clone(),
        )]
        .into(),
        ..one("date")
    };
    let Value::String(text) = value.clone().into_value() else {
        panic!("no text");
    };
    let parsed = parse_reply(
        &spec,
        &format!("[[ ## x ## ]]\n{text}\n\n[[ ## completed ## ]]"),
    );
    let parsed = parsed.map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(&parsed.repairs, &vec![]);
    prop_assert_eq!(
        T::from_value(parsed.values.get("x").unwrap().clone()).unwrap(),
        value
    );
    Ok(())
}

proptest! {
    #[test]
    fn every_moment_comes_back(seconds in -62_167_219_200i64..253_402_300_800, nanos in 0u32..1_000_000_000) {
        let moment = DateTime::from_timestamp(seconds, nanos).unwrap();
        back(moment)?;
        back(moment.naive_utc())?;
        back(moment.date_naive())?;
        back(moment.time())?;
    }
}
