::core::compile_error! {
    "`#[ouput]` is not a field role; did you mean `#[output]`?"
}
#[allow(dead_code)]
///The inputs of [`QA`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
struct QAInput {
    ///The input `question`.
    question: String,
}
#[allow(dead_code)]
///The outputs of [`QA`].
struct QAOutput {
    ///The output `answer`.
    answer: Mood,
}
#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    impl __candle::FieldSet for QAInput {
        const FIELDS: &'static [__candle::FieldSpec] = &[];
        fn from_values(
            _: __candle::FieldValues,
        ) -> __candle::Result<Self, __candle::Vec<__candle::ValueError>> {
            ::core::unreachable!()
        }
        fn into_values(self) -> __candle::FieldValues {
            ::core::unreachable!()
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for QAOutput
    where
        for<'any> Mood: ::core::fmt::Debug,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.debug_struct("QAOutput").field("answer", &self.answer).finish()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for QAOutput
    where
        for<'any> Mood: ::core::clone::Clone,
    {
        fn clone(&self) -> Self {
            Self {
                answer: ::core::clone::Clone::clone(&self.answer),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for QAOutput
    where
        for<'any> Mood: ::core::cmp::PartialEq,
    {
        fn eq(&self, other: &Self) -> ::core::primitive::bool {
            self.answer == other.answer
        }
    }
    impl __candle::FieldSet for QAOutput {
        const FIELDS: &'static [__candle::FieldSpec] = &[];
        fn from_values(
            _: __candle::FieldValues,
        ) -> __candle::Result<Self, __candle::Vec<__candle::ValueError>> {
            ::core::unreachable!()
        }
        fn into_values(self) -> __candle::FieldValues {
            ::core::unreachable!()
        }
    }
    impl __candle::Signature for QA {
        type Input = QAInput;
        type Output = QAOutput;
        fn split(self) -> (Self::Input, Self::Output) {
            ::core::unreachable!()
        }
    }
    impl __candle::CanReason for QA {}
    #[allow(dead_code)]
    impl QA {
        async fn predict<Any: ?::core::marker::Sized>(
            _: &Any,
            _: QAInput,
        ) -> __candle::Asked<QAOutput> {
            ::core::unreachable!()
        }
        async fn predict_all<Any: ?::core::marker::Sized>(
            _: &Any,
            _: impl ::core::iter::IntoIterator<Item = QAInput>,
        ) -> __candle::Vec<__candle::Asked<QAOutput>> {
            ::core::unreachable!()
        }
        fn stream<AnyBackend: ?::core::marker::Sized>(
            _: &AnyBackend,
            _: QAInput,
        ) -> __candle::PredictStream<'_, QAOutput> {
            ::core::unreachable!()
        }
        fn format(_: QAInput) -> __candle::Vec<__candle::Message> {
            ::core::unreachable!()
        }
        fn parse(_: &__candle::str) -> __candle::Parsed<QAOutput> {
            ::core::unreachable!()
        }
    }
};
