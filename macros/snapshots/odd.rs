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
#[allow(unused_qualifications)]
const _: () = {
    use renamed::path::__private as __candle;
    impl __candle::FieldSet for ExtractInput {
        const FIELDS: &'static [__candle::FieldSpec] = &[];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let _ = __candle::Reader::of::<Self>(values);
            __candle::Ok(Self {})
        }
        fn into_values(self) -> __candle::FieldValues {
            __candle::values::<Self, _>([])
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
            let mut reader = __candle::Reader::of::<Self>(values);
            let (__candle::Some(f0),) = (
                reader.take(0, <[T; N] as __candle::FieldValue>::from_value),
            ) else {
                return __candle::Err(reader.errors());
            };
            __candle::Ok(Self { r#type: f0 })
        }
        fn into_values(self) -> __candle::FieldValues {
            __candle::values::<
                Self,
                _,
            >([<[T; N] as __candle::FieldValue>::into_value(self.r#type)])
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
        const SPEC: &'static __candle::SignatureSpec = &__candle::SignatureSpec::new(
            "Extract",
            "",
            <ExtractInput as __candle::FieldSet>::FIELDS,
            <ExtractOutput<T, N> as __candle::FieldSet>::FIELDS,
        );
        fn split(self) -> (Self::Input, Self::Output) {
            (
                ExtractInput {},
                ExtractOutput {
                    r#type: self.r#type,
                },
            )
        }
    }
    #[automatically_derived]
    impl<
        T: Clone + __candle::FieldValue + ::core::marker::Send + 'static,
        const N: usize,
    > __candle::CanReason for r#Extract<T, N>
    where
        T: Ord,
    {}
    impl<T: Clone, const N: usize> r#Extract<T, N>
    where
        T: Ord,
    {
        /// Asks a backend for the outputs.
        ///
        /// # Errors
        /// What the backend reports, or which fields of the reply could not be read, with those that could.
        pub(crate) async fn predict<
            AnyBackend: __candle::Backend + ?::core::marker::Sized,
        >(
            backend: &AnyBackend,
            input: ExtractInput,
        ) -> __candle::Asked<ExtractOutput<T, N>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::predict::<Self, AnyBackend>(backend, input).await
        }
        /// Asks for every input at once; the answers keep their order, and a failure loses no other.
        pub(crate) async fn predict_all<
            AnyBackend: __candle::Backend + ?::core::marker::Sized,
        >(
            backend: &AnyBackend,
            inputs: impl ::core::iter::IntoIterator<Item = ExtractInput>,
        ) -> __candle::Vec<__candle::Asked<ExtractOutput<T, N>>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::predict_all::<Self, AnyBackend>(backend, inputs).await
        }
        /// Asks a backend for the outputs, and tells the fields while they are generated.
        pub(crate) fn stream<AnyBackend: __candle::Backend + ?::core::marker::Sized>(
            backend: &AnyBackend,
            input: ExtractInput,
        ) -> __candle::PredictStream<'_, ExtractOutput<T, N>>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::stream::<Self, AnyBackend>(backend, input)
        }
        /// The messages that [`predict`](Self::predict) sends.
        #[must_use]
        pub(crate) fn format(input: ExtractInput) -> __candle::Vec<__candle::Message>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::format::<Self>(input)
        }
        /// The outputs that a reply holds.
        ///
        /// # Errors
        /// Every field that is missing or can't be read, with those that can.
        pub(crate) fn parse(
            completion: &::core::primitive::str,
        ) -> __candle::Result<ExtractOutput<T, N>, __candle::ParseError>
        where
            T: __candle::FieldValue + ::core::marker::Send + 'static,
        {
            __candle::parse::<Self>(completion)
        }
    }
};
