///The inputs of [`Six`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
struct SixInput {
    ///The input `field_0`.
    field_0: String,
    ///The input `field_1`.
    field_1: String,
    ///The input `field_2`.
    field_2: String,
}
///The outputs of [`Six`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
struct SixOutput {
    ///The output `field_3`.
    field_3: String,
    ///The output `field_4`.
    field_4: String,
    ///The output `field_5`.
    field_5: String,
}
#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    impl __candle::FieldSet for SixInput {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "field_0",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "field_1",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "field_2",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<String as __candle::FieldValue>::from_value);
            let f1 = read.take(<String as __candle::FieldValue>::from_value);
            let f2 = read.take(<String as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self {
                field_0: f0?,
                field_1: f1?,
                field_2: f2?,
            }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [
                <String as __candle::FieldValue>::into_value(self.field_0),
                <String as __candle::FieldValue>::into_value(self.field_1),
                <String as __candle::FieldValue>::into_value(self.field_2),
            ];
            __candle::values::<Self>(values)
        }
    }
    impl __candle::FieldSet for SixOutput {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "field_3",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "field_4",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "field_5",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<String as __candle::FieldValue>::from_value);
            let f1 = read.take(<String as __candle::FieldValue>::from_value);
            let f2 = read.take(<String as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self {
                field_3: f0?,
                field_4: f1?,
                field_5: f2?,
            }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [
                <String as __candle::FieldValue>::into_value(self.field_3),
                <String as __candle::FieldValue>::into_value(self.field_4),
                <String as __candle::FieldValue>::into_value(self.field_5),
            ];
            __candle::values::<Self>(values)
        }
    }
    impl __candle::Signature for Six {
        type Input = SixInput;
        type Output = SixOutput;
        const NAME: &'static __candle::str = "Six";
        const INSTRUCTION: &'static __candle::str = "Six fields.";
        fn split(self) -> (Self::Input, Self::Output) {
            let Self { field_0, field_1, field_2, field_3, field_4, field_5 } = self;
            let __input = SixInput {
                field_0,
                field_1,
                field_2,
            };
            let __output = SixOutput {
                field_3,
                field_4,
                field_5,
            };
            (__input, __output)
        }
    }
    impl __candle::CanReason for Six {}
    #[allow(clippy::missing_errors_doc)]
    impl Six {
        /// Asks a backend for the outputs. Fails with its error, or with each field of the reply that can't be read and those that can.
        async fn predict(
            backend: &impl __candle::Backend,
            input: SixInput,
        ) -> __candle::Asked<SixOutput> {
            __candle::predict::<Self, _>(backend, input).await
        }
        /// Asks for every input at once; the answers keep their order, and a failure loses no other.
        async fn predict_all(
            backend: &impl __candle::Backend,
            inputs: impl ::core::iter::IntoIterator<Item = SixInput>,
        ) -> __candle::Vec<__candle::Asked<SixOutput>> {
            __candle::predict_all::<Self, _>(backend, inputs).await
        }
        /// Asks a backend for the outputs, and tells the fields while they are generated.
        fn stream(
            backend: &impl __candle::Backend,
            input: SixInput,
        ) -> __candle::PredictStream<'_, SixOutput> {
            __candle::stream::<Self, _>(backend, input)
        }
        /// The messages that [`predict`](Self::predict) sends.
        #[must_use]
        fn format(input: SixInput) -> __candle::Vec<__candle::Message> {
            __candle::format::<Self>(input)
        }
        /// The outputs that a reply holds. Fails with each field that is missing or can't be read and those that can.
        fn parse(reply: &__candle::str) -> __candle::Parsed<SixOutput> {
            __candle::parse::<Self>(reply)
        }
    }
};
