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
#[allow(unused_qualifications)]
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
            let mut reader = __candle::Reader::of::<Self>(values);
            let (__candle::Some(f0),) = (
                reader.take(0, <String as __candle::FieldValue>::from_value),
            ) else {
                return __candle::Err(reader.errors());
            };
            __candle::Ok(Self { question: f0 })
        }
        fn into_values(self) -> __candle::FieldValues {
            __candle::values::<
                Self,
                _,
            >([<String as __candle::FieldValue>::into_value(self.question)])
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
            let mut reader = __candle::Reader::of::<Self>(values);
            let (__candle::Some(f0),) = (
                reader.take(0, <String as __candle::FieldValue>::from_value),
            ) else {
                return __candle::Err(reader.errors());
            };
            __candle::Ok(Self { answer: f0 })
        }
        fn into_values(self) -> __candle::FieldValues {
            __candle::values::<
                Self,
                _,
            >([<String as __candle::FieldValue>::into_value(self.answer)])
        }
    }
    impl __candle::Signature for QA {
        type Input = QAInput;
        type Output = QAOutput;
        const SPEC: &'static __candle::SignatureSpec = &__candle::SignatureSpec::new(
            "QA",
            "Answer the question.",
            <QAInput as __candle::FieldSet>::FIELDS,
            <QAOutput as __candle::FieldSet>::FIELDS,
        );
        fn split(self) -> (Self::Input, Self::Output) {
            (QAInput { question: self.question }, QAOutput { answer: self.answer })
        }
    }
    #[automatically_derived]
    impl __candle::CanReason for QA {}
    impl QA {
        /// Asks a backend for the outputs.
        ///
        /// # Errors
        /// What the backend reports, or which fields of the reply could not be read, with those that could.
        async fn predict<AnyBackend: __candle::Backend + ?::core::marker::Sized>(
            backend: &AnyBackend,
            input: QAInput,
        ) -> __candle::Asked<QAOutput> {
            __candle::predict::<Self, AnyBackend>(backend, input).await
        }
        /// Asks for every input at once; the answers keep their order, and a failure loses no other.
        async fn predict_all<AnyBackend: __candle::Backend + ?::core::marker::Sized>(
            backend: &AnyBackend,
            inputs: impl ::core::iter::IntoIterator<Item = QAInput>,
        ) -> __candle::Vec<__candle::Asked<QAOutput>> {
            __candle::predict_all::<Self, AnyBackend>(backend, inputs).await
        }
        /// Asks a backend for the outputs, and tells the fields while they are generated.
        fn stream<AnyBackend: __candle::Backend + ?::core::marker::Sized>(
            backend: &AnyBackend,
            input: QAInput,
        ) -> __candle::PredictStream<'_, QAOutput> {
            __candle::stream::<Self, AnyBackend>(backend, input)
        }
        /// The messages that [`predict`](Self::predict) sends.
        #[must_use]
        fn format(input: QAInput) -> __candle::Vec<__candle::Message> {
            __candle::format::<Self>(input)
        }
        /// The outputs that a reply holds.
        ///
        /// # Errors
        /// Every field that is missing or can't be read, with those that can.
        fn parse(
            completion: &::core::primitive::str,
        ) -> __candle::Result<QAOutput, __candle::ParseError> {
            __candle::parse::<Self>(completion)
        }
    }
};
