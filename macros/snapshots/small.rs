///The inputs of [`QA`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
struct QAInput {
    /// What is asked.
    question: String,
}
///The outputs of [`QA`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
struct QAOutput {
    ///The output `answer`.
    answer: String,
}
#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    impl __candle::FieldSet for QAInput {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "question",
                "What is asked.",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<String as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self { question: f0? }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [<String as __candle::FieldValue>::into_value(self.question)];
            __candle::values::<Self>(values)
        }
    }
    impl __candle::FieldSet for QAOutput {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "answer",
                "",
                <String as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<String as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self { answer: f0? }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [<String as __candle::FieldValue>::into_value(self.answer)];
            __candle::values::<Self>(values)
        }
    }
    impl __candle::Signature for QA {
        type Input = QAInput;
        type Output = QAOutput;
        const NAME: &'static __candle::str = "QA";
        const INSTRUCTION: &'static __candle::str = "Answer the question.";
        fn split(self) -> (Self::Input, Self::Output) {
            let Self { question, answer } = self;
            let __input = QAInput { question };
            let __output = QAOutput { answer };
            (__input, __output)
        }
    }
    impl __candle::CanReason for QA {}
    #[allow(clippy::missing_errors_doc)]
    impl QA {
        /// Asks a backend for the outputs. Fails with its error, or with each field of the reply that can't be read and those that can.
        async fn predict(
            backend: &impl __candle::Backend,
            input: QAInput,
        ) -> __candle::Asked<QAOutput> {
            __candle::predict::<Self, _>(backend, input).await
        }
        /// Asks for every input at once; the answers keep their order, and a failure loses no other.
        async fn predict_all(
            backend: &impl __candle::Backend,
            inputs: impl ::core::iter::IntoIterator<Item = QAInput>,
        ) -> __candle::Vec<__candle::Asked<QAOutput>> {
            __candle::predict_all::<Self, _>(backend, inputs).await
        }
        /// Asks a backend for the outputs, and tells the fields while they are generated.
        fn stream(
            backend: &impl __candle::Backend,
            input: QAInput,
        ) -> __candle::PredictStream<'_, QAOutput> {
            __candle::stream::<Self, _>(backend, input)
        }
        /// The messages that [`predict`](Self::predict) sends.
        #[must_use]
        fn format(input: QAInput) -> __candle::Vec<__candle::Message> {
            __candle::format::<Self>(input)
        }
        /// The outputs that a reply holds. Fails with each field that is missing or can't be read and those that can.
        fn parse(reply: &__candle::str) -> __candle::Parsed<QAOutput> {
            __candle::parse::<Self>(reply)
        }
    }
};
