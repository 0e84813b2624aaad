//! Booleans, integers and floats.

use super::super::{FieldType, FieldValue, FloatType, IntType, Known, Value, ValueError};

impl FieldValue for bool {
    const TYPE: &'static FieldType = &FieldType::Bool;
    const KNOWN: Known = Known::of::<Self>();

    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Bool(b) => Ok(b),
            other => Err(ValueError::expected("a boolean", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

macro_rules! integers {
    ($($int:ty: $signed:literal $bits:literal),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl FieldValue for $int {
            const TYPE: &'static FieldType = &FieldType::Int(IntType { signed: $signed, bits: $bits });
            const KNOWN: Known = Known::of::<Self>();

            fn from_value(value: Value) -> Result<Self, ValueError> {
                let (shown, in_range) = match value {
                    Value::Int(n) => (n.to_string(), <$int>::try_from(n).ok()),
                    Value::UInt(n) => (n.to_string(), <$int>::try_from(n).ok()),
                    other => return Err(ValueError::expected("an integer", &other)),
                };
                in_range.ok_or_else(|| {
                    let (min, max) = (<$int>::MIN, <$int>::MAX);
                    ValueError::new(format!("{shown} is out of range: {min} to {max}"))
                })
            }

            fn into_value(self) -> Value {
                // Every integer is an `Int` if it can be: equality of values depends on it.
                i128::try_from(self).map_or_else(|_| Value::UInt(self as u128), Value::Int)
            }
        }
    )*};
}

integers! {
    i8: true 8, i16: true 16, i32: true 32, i64: true 64, i128: true 128,
    u8: false 8, u16: false 16, u32: false 32, u64: false 64, u128: false 128,
}

impl FieldValue for f64 {
    const TYPE: &'static FieldType = &FieldType::Float(FloatType::F64);
    const KNOWN: Known = Known::of::<Self>();

    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Float(x) => Ok(x),
            Value::Int(n) => Ok(n as f64),
            Value::UInt(n) => Ok(n as f64),
            other => Err(ValueError::expected("a number", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl FieldValue for f32 {
    const TYPE: &'static FieldType = &FieldType::Float(FloatType::F32);
    const KNOWN: Known = Known::of::<Self>();

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let wide = f64::from_value(value)?;
        let narrow = wide as f32;
        if wide.is_finite() && narrow.is_infinite() {
            return Err(ValueError::new(format!(
                "{wide:?} is out of range of a 32-bit float"
            )));
        }
        Ok(narrow)
    }

    fn into_value(self) -> Value {
        // By way of the shortest decimal: 0.1f32 is to be written 0.1, not 0.10000000149011612.
        Value::Float(self.to_string().parse().unwrap_or(f64::from(self)))
    }
}
