///The inputs of [`Extract`].
pub(crate) struct ExtractInput {}
///The outputs of [`Extract`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::cmp::PartialEq)]
pub(crate) struct ExtractOutput<T: Clone, const N: usize>
where
    T: Ord,
{
    ///The output `type`.
    pub(crate) r#type: [T; N],
}
#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use renamed::path::__private as __candle;
    impl __candle::FieldSet for ExtractInput {
        const FIELDS: &'static [__candle::FieldSpec] = &[];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let read = __candle::Reader::of::<Self>(values);
            read.all(|| __candle::Some(Self {}))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [];
            __candle::values::<Self>(values)
        }
    }
    impl<
        T: Clone + __candle::FieldValue + ::core::marker::Send + 'static,
        const N: usize,
    > __candle::FieldSet for ExtractOutput<T, N>
    where
        T: Ord,
    {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "type",
                "",
                <[T; N] as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<[T; N] as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self { r#type: f0? }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [<[T; N] as __candle::FieldValue>::into_value(self.r#type)];
            __candle::values::<Self>(values)
        }
    }
    impl<
        T: Clone + __candle::FieldValue + ::core::marker::Send + 'static,
        const N: usize,
    > __candle::Signature for r#Extract<T, N>
    where
        T: Ord,
    {
        type Input = ExtractInput;
        type Output = ExtractOutput<T, N>;
        const NAME: &'static __candle::str = "Extract";
        const INSTRUCTION: &'static __candle::str = "";
        fn split(self) -> (Self::Input, Self::Output) {
            let Self { r#type } = self;
            let __input = ExtractInput {};
            let __output = ExtractOutput { r#type };
            (__input, __output)
        }
    }
    impl<
        T: Clone + __candle::FieldValue + ::core::marker::Send + 'static,
        const N: usize,
    > __candle::CanReason for r#Extract<T, N>
    where
        T: Ord,
    {}
    #[allow(clippy::missing_errors_doc)]
    impl<T: Clone, const N: usize> r#Extract<T, N>
    where
        T: Ord,
    {
        /// Asks a backend for the outputs. Fails with its error, or with each field of the reply that can't be read and those that can.
        pub(crate) async fn predict(
            backend: &impl __candle::Backend,
            input: ExtractInput,
        ) -> __candle::Asked<ExtractOutput<T, N>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::predict::<Self, _>(backend, input).await
        }
        /// Asks for every input at once; the answers keep their order, and a failure loses no other.
        pub(crate) async fn predict_all(
            backend: &impl __candle::Backend,
            inputs: impl ::core::iter::IntoIterator<Item = ExtractInput>,
        ) -> __candle::Vec<__candle::Asked<ExtractOutput<T, N>>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::predict_all::<Self, _>(backend, inputs).await
        }
        /// Asks a backend for the outputs, and tells the fields while they are generated.
        pub(crate) fn stream(
            backend: &impl __candle::Backend,
            input: ExtractInput,
        ) -> __candle::PredictStream<'_, ExtractOutput<T, N>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::stream::<Self, _>(backend, input)
        }
        /// The messages that [`predict`](Self::predict) sends.
        #[must_use]
        pub(crate) fn format(input: ExtractInput) -> __candle::Vec<__candle::Message>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::format::<Self>(input)
        }
        /// The outputs that a reply holds. Fails with each field that is missing or can't be read and those that can.
        pub(crate) fn parse(
            reply: &__candle::str,
        ) -> __candle::Parsed<ExtractOutput<T, N>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::parse::<Self>(reply)
        }
    }
};
