#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    static __TABLE: __candle::Table = __candle::Table {
        ty: &__candle::FieldType::Struct(
            __candle::StructSpec::new(
                "Person",
                "",
                const {
                    &[
                        __candle::FieldSpec::new(
                            "name",
                            "",
                            <String as __candle::FieldValue>::REF,
                            &[],
                            __candle::None,
                        ),
                        __candle::FieldSpec::new(
                            "age",
                            "",
                            <u8 as __candle::FieldValue>::REF,
                            &[],
                            __candle::Some(
                                __candle::DefaultValue::Lazy(|| <u8 as __candle::FieldValue>::into_value({
                                    let value: u8 = 18;
                                    value
                                })),
                            ),
                        ),
                        __candle::FieldSpec::new(
                            "boss",
                            "",
                            <Option<Box<Person>> as __candle::FieldValue>::REF,
                            &[],
                            __candle::None,
                        ),
                    ]
                },
            ),
        ),
        programs: &[],
    };
    #[automatically_derived]
    impl __candle::FieldValue for Person {
        const TYPE: &'static __candle::FieldType = __TABLE.ty;
        const KNOWN: __candle::Known = __candle::Known::at(&__TABLE);
        fn from_value(
            value: __candle::Value,
        ) -> __candle::Result<Self, __candle::ValueError> {
            let mut read = __candle::Reader::new(
                __candle::struct_values(value)?,
                __candle::struct_fields(<Self as __candle::FieldValue>::TYPE),
            );
            let f0 = read.take(<String as __candle::FieldValue>::from_value);
            let f1 = read.take(<u8 as __candle::FieldValue>::from_value);
            let f2 = read
                .take(<Option<Box<Person>> as __candle::FieldValue>::from_value);
            read.one(|| __candle::Some(Self {
                name: f0?,
                age: f1?,
                boss: f2?,
            }))
        }
        fn into_value(self) -> __candle::Value {
            __candle::struct_value(
                <Self as __candle::FieldValue>::TYPE,
                [
                    <String as __candle::FieldValue>::into_value(self.name),
                    <u8 as __candle::FieldValue>::into_value(self.age),
                    <Option<Box<Person>> as __candle::FieldValue>::into_value(self.boss),
                ],
            )
        }
    }
};
