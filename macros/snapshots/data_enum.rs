#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    static __TABLE: __candle::Table = __candle::Table {
        ty: &__candle::FieldType::Enum(
            __candle::EnumSpec::new(
                "Shape",
                "",
                "kind",
                const {
                    &[
                        __candle::VariantSpec::new(
                            "Nothing",
                            "",
                            &[],
                            __candle::Payload::Unit,
                        ),
                        __candle::VariantSpec::new(
                            "Named",
                            "",
                            &[],
                            __candle::Payload::Value(
                                <String as __candle::FieldValue>::REF,
                            ),
                        ),
                        __candle::VariantSpec::new(
                            "Circle",
                            "",
                            &[],
                            __candle::Payload::Fields(
                                __candle::Cow::Borrowed(const {
                                    &[
                                        __candle::FieldSpec::new(
                                            "radius",
                                            "",
                                            <f64 as __candle::FieldValue>::REF,
                                            const {
                                                &[
                                                    __candle::constraint::min_of::<
                                                        f64,
                                                    >(__candle::Bound::Float(0.0)),
                                                ]
                                            },
                                            __candle::None,
                                        ),
                                    ]
                                }),
                            ),
                        ),
                    ]
                },
            ),
        ),
        programs: &[],
    };
    #[automatically_derived]
    impl __candle::FieldValue for Shape {
        const TYPE: &'static __candle::FieldType = __TABLE.ty;
        const KNOWN: __candle::Known = __candle::Known::at(&__TABLE);
        fn from_value(
            value: __candle::Value,
        ) -> __candle::Result<Self, __candle::ValueError> {
            let (at, values) = __candle::variant(
                <Self as __candle::FieldValue>::TYPE,
                value,
            )?;
            match at {
                0 => __candle::Ok(Self::Nothing),
                1 => {
                    __candle::payload(
                            values,
                            <String as __candle::FieldValue>::from_value,
                        )
                        .map(Self::Named)
                }
                _ => {
                    let mut read = __candle::Reader::new(
                        values,
                        __candle::variant_fields(
                            <Self as __candle::FieldValue>::TYPE,
                            at,
                        ),
                    );
                    let f0 = read.take(<f64 as __candle::FieldValue>::from_value);
                    read.one(|| __candle::Some(Self::Circle {
                        radius: f0?,
                        cache: <Cache as ::core::default::Default>::default(),
                    }))
                }
            }
        }
        fn into_value(self) -> __candle::Value {
            match self {
                Self::Nothing => {
                    __candle::variant_value(<Self as __candle::FieldValue>::TYPE, 0, [])
                }
                Self::Named(value) => {
                    __candle::variant_value(
                        <Self as __candle::FieldValue>::TYPE,
                        1,
                        [<String as __candle::FieldValue>::into_value(value)],
                    )
                }
                Self::Circle { radius: f0, cache: _ } => {
                    __candle::variant_value(
                        <Self as __candle::FieldValue>::TYPE,
                        2,
                        [<f64 as __candle::FieldValue>::into_value(f0)],
                    )
                }
            }
        }
    }
};
