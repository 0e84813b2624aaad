#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    static __TABLE: __candle::Table = __candle::Table {
        ty: &__candle::FieldType::Enum(
            __candle::EnumSpec::new(
                "Urgency",
                "How soon.",
                "type",
                const {
                    &[
                        __candle::VariantSpec::new(
                            "low",
                            "",
                            &[],
                            __candle::Payload::Unit,
                        ),
                        __candle::VariantSpec::new(
                            "on-fire",
                            "Now.",
                            const { &[__candle::Cow::Borrowed("burning")] },
                            __candle::Payload::Unit,
                        ),
                    ]
                },
            ),
        ),
        programs: &[],
    };
    #[automatically_derived]
    impl __candle::FieldValue for Urgency {
        const TYPE: &'static __candle::FieldType = __TABLE.ty;
        const KNOWN: __candle::Known = __candle::Known::at(&__TABLE);
        fn from_value(
            value: __candle::Value,
        ) -> __candle::Result<Self, __candle::ValueError> {
            __candle::Ok(
                match __candle::unit_variant(
                    <Self as __candle::FieldValue>::TYPE,
                    &value,
                )? {
                    0 => Self::Low,
                    _ => Self::OnFire,
                },
            )
        }
        fn into_value(self) -> __candle::Value {
            __candle::unit_value(
                match self {
                    Self::Low => "low",
                    Self::OnFire => "on-fire",
                },
            )
        }
    }
};
