#[allow(unused_qualifications)]
const _: () = {
    use ::candle_signature::__private as __candle;
    #[automatically_derived]
    impl __candle::FieldValue for Score {
        const TYPE: &'static __candle::FieldType = <u8 as __candle::FieldValue>::TYPE;
        const KIND: &'static __candle::Kind = <u8 as __candle::FieldValue>::KIND;
        fn from_value(
            value: __candle::Value,
        ) -> __candle::Result<Self, __candle::ValueError> {
            <u8 as __candle::FieldValue>::from_value(value).map(Self)
        }
        fn into_value(self) -> __candle::Value {
            <u8 as __candle::FieldValue>::into_value(self.0)
        }
    }
};
