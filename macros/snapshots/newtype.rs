#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    static __TABLE: __candle::Table = __candle::Table {
        ty: <u8 as __candle::FieldValue>::TYPE,
        programs: <u8 as __candle::FieldValue>::KNOWN.programs(),
    };
    #[automatically_derived]
    impl __candle::FieldValue for Score {
        const TYPE: &'static __candle::FieldType = __TABLE.ty;
        const KNOWN: __candle::Known = __candle::Known::at(&__TABLE);
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
