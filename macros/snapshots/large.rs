///The inputs of [`Triage`].
pub struct TriageInput {
    /// The customer's words.
    pub ticket: String,
    ///The input `history`.
    pub history: Vec<Message>,
}
///The outputs of [`Triage`].
#[derive(serde::Serialize)]
pub struct TriageOutput {
    /// How soon someone must look at it.
    pub urgency: Urgency,
    ///The output `tags`.
    pub tags: Vec<String>,
    ///The output `confidence`.
    pub confidence: f64,
    ///The output `owner`.
    pub assigned_to: Option<String>,
    ///The output `dueIn`.
    pub due_in: std::time::Duration,
    ///The output `language`.
    pub language: String,
}
#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    #[automatically_derived]
    impl ::core::fmt::Debug for TriageInput
    where
        for<'any> Vec<Message>: ::core::fmt::Debug,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.debug_struct("TriageInput")
                .field("ticket", &self.ticket)
                .field("history", &self.history)
                .finish()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for TriageInput
    where
        for<'any> Vec<Message>: ::core::clone::Clone,
    {
        fn clone(&self) -> Self {
            Self {
                ticket: ::core::clone::Clone::clone(&self.ticket),
                history: ::core::clone::Clone::clone(&self.history),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for TriageInput
    where
        for<'any> Vec<Message>: ::core::cmp::PartialEq,
    {
        fn eq(&self, other: &Self) -> ::core::primitive::bool {
            self.ticket == other.ticket && self.history == other.history
        }
    }
    impl __candle::FieldSet for TriageInput {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "ticket",
                "The customer's words.",
                <String as __candle::FieldValue>::REF,
                const { &[__candle::constraint::len_of::<String>(1, 2000)] },
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "history",
                "",
                __candle::TypeRef::TEXT,
                &[],
                __candle::None,
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<String as __candle::FieldValue>::from_value);
            let f1 = read.take(<Vec<Message> as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self { ticket: f0?, history: f1? }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [
                <String as __candle::FieldValue>::into_value(self.ticket),
                __candle::Value::String(render(&self.history)),
            ];
            __candle::values::<Self>(values)
        }
    }
    #[automatically_derived]
    impl ::core::fmt::Debug for TriageOutput
    where
        for<'any> Urgency: ::core::fmt::Debug,
        for<'any> std::time::Duration: ::core::fmt::Debug,
    {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.debug_struct("TriageOutput")
                .field("urgency", &self.urgency)
                .field("tags", &self.tags)
                .field("confidence", &self.confidence)
                .field("assigned_to", &self.assigned_to)
                .field("due_in", &self.due_in)
                .field("language", &self.language)
                .finish()
        }
    }
    #[automatically_derived]
    impl ::core::clone::Clone for TriageOutput
    where
        for<'any> Urgency: ::core::clone::Clone,
        for<'any> std::time::Duration: ::core::clone::Clone,
    {
        fn clone(&self) -> Self {
            Self {
                urgency: ::core::clone::Clone::clone(&self.urgency),
                tags: ::core::clone::Clone::clone(&self.tags),
                confidence: ::core::clone::Clone::clone(&self.confidence),
                assigned_to: ::core::clone::Clone::clone(&self.assigned_to),
                due_in: ::core::clone::Clone::clone(&self.due_in),
                language: ::core::clone::Clone::clone(&self.language),
            }
        }
    }
    #[automatically_derived]
    impl ::core::cmp::PartialEq for TriageOutput
    where
        for<'any> Urgency: ::core::cmp::PartialEq,
        for<'any> std::time::Duration: ::core::cmp::PartialEq,
    {
        fn eq(&self, other: &Self) -> ::core::primitive::bool {
            self.urgency == other.urgency && self.tags == other.tags
                && self.confidence == other.confidence
                && self.assigned_to == other.assigned_to && self.due_in == other.due_in
                && self.language == other.language
        }
    }
    impl __candle::FieldSet for TriageOutput {
        const FIELDS: &'static [__candle::FieldSpec] = &[
            __candle::FieldSpec::new(
                "urgency",
                "How soon someone must look at it.",
                <Urgency as __candle::FieldValue>::REF,
                &[],
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "tags",
                "",
                <Vec<String> as __candle::FieldValue>::REF,
                const {
                    &[
                        __candle::constraint::unique_of::<Vec<String>>(),
                        __candle::constraint::len_of::<Vec<String>>(0, 5),
                    ]
                },
                __candle::Some(
                    __candle::DefaultValue::Lazy(|| <Vec<
                        String,
                    > as __candle::FieldValue>::into_value(
                        <Vec<String> as ::core::default::Default>::default(),
                    )),
                ),
            ),
            __candle::FieldSpec::new(
                "confidence",
                "",
                <f64 as __candle::FieldValue>::REF,
                const {
                    &[
                        __candle::constraint::min_of::<f64>(__candle::Bound::Float(0.0)),
                        __candle::constraint::max_of::<f64>(__candle::Bound::Float(1.0)),
                    ]
                },
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "owner",
                "",
                <Option<String> as __candle::FieldValue>::REF,
                const {
                    &[
                        __candle::constraint::regex_of::<
                            Option<String>,
                        >("[a-z]+(-[0-9])?"),
                    ]
                },
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "dueIn",
                "",
                __candle::TypeRef::Static(seconds::TYPE),
                &[],
                __candle::None,
            ),
            __candle::FieldSpec::new(
                "language",
                "",
                <String as __candle::FieldValue>::REF,
                const {
                    &[
                        __candle::constraint::one_of_of::<
                            String,
                        >(const {
                            &[
                                __candle::Str::Borrowed("en"),
                                __candle::Str::Borrowed("de"),
                            ]
                        }),
                    ]
                },
                __candle::Some(
                    __candle::DefaultValue::Lazy(|| <String as __candle::FieldValue>::into_value({
                        let value: String = __candle::text("en");
                        value
                    })),
                ),
            ),
        ];
        fn from_values(values: __candle::FieldValues) -> __candle::Read<Self> {
            let mut read = __candle::Reader::of::<Self>(values);
            let f0 = read.take(<Urgency as __candle::FieldValue>::from_value);
            let f1 = read.take(<Vec<String> as __candle::FieldValue>::from_value);
            let f2 = read.take(<f64 as __candle::FieldValue>::from_value);
            let f3 = read.take(<Option<String> as __candle::FieldValue>::from_value);
            let f4 = read.take(seconds::from_value);
            let f5 = read.take(<String as __candle::FieldValue>::from_value);
            read.all(|| __candle::Some(Self {
                urgency: f0?,
                tags: f1?,
                confidence: f2?,
                assigned_to: f3?,
                due_in: f4?,
                language: f5?,
            }))
        }
        fn into_values(self) -> __candle::FieldValues {
            let values = [
                <Urgency as __candle::FieldValue>::into_value(self.urgency),
                <Vec<String> as __candle::FieldValue>::into_value(self.tags),
                <f64 as __candle::FieldValue>::into_value(self.confidence),
                <Option<String> as __candle::FieldValue>::into_value(self.assigned_to),
                seconds::into_value(self.due_in),
                <String as __candle::FieldValue>::into_value(self.language),
            ];
            __candle::values::<Self>(values)
        }
    }
    impl __candle::Signature for Triage {
        type Input = TriageInput;
        type Output = TriageOutput;
        const NAME: &'static __candle::str = "Triage";
        const INSTRUCTION: &'static __candle::str = "Sort the support ticket.\nBe quick.";
        const FORMAT: __candle::PromptFormat = __candle::PromptFormat::Json;
        const RENAMED: &'static [(&'static __candle::str, &'static __candle::str)] = &[
            ("assigned_to", "owner"),
            ("due_in", "dueIn"),
        ];
        const PROGRAMS: &'static [__candle::check::Program] = &[
            (
                "[a-z]+(-[0-9])?",
                &[
                    __candle::check::Step::Class(
                        &[(b'a', b'z')],
                        __candle::check::NotAscii::None,
                    ),
                    __candle::check::Step::Split(2, 4),
                    __candle::check::Step::Class(
                        &[(b'a', b'z')],
                        __candle::check::NotAscii::None,
                    ),
                    __candle::check::Step::Jump(1),
                    __candle::check::Step::Split(5, 7),
                    __candle::check::Step::Class(
                        &[(b'-', b'-')],
                        __candle::check::NotAscii::None,
                    ),
                    __candle::check::Step::Class(
                        &[(b'0', b'9')],
                        __candle::check::NotAscii::None,
                    ),
                    __candle::check::Step::Match,
                ],
            ),
        ];
        const SPECIAL: &'static [(&'static __candle::str, __candle::WriteSpecial)] = &[
            (
                "history",
                |value| {
                    let value = value.downcast::<Vec<Message>>().ok()?;
                    __candle::Some(__candle::Value::String(render(&*value)))
                },
            ),
            (
                "due_in",
                |value| {
                    let value = value.downcast::<std::time::Duration>().ok()?;
                    __candle::Some(seconds::into_value(*value))
                },
            ),
        ];
        fn split(self) -> (Self::Input, Self::Output) {
            let Self {
                ticket,
                history,
                urgency,
                tags,
                confidence,
                assigned_to,
                due_in,
                language,
            } = self;
            let __input = TriageInput { ticket, history };
            let __output = TriageOutput {
                urgency,
                tags,
                confidence,
                assigned_to,
                due_in,
                language,
            };
            (__input, __output)
        }
    }
    impl __candle::CanReason for Triage {}
    #[allow(clippy::missing_errors_doc)]
    impl Triage {
        /// Asks a backend for the outputs. Fails with its error, or with each field of the reply that can't be read and those that can.
        pub async fn predict(
            backend: &impl __candle::Backend,
            input: TriageInput,
        ) -> __candle::Asked<TriageOutput> {
            __candle::predict::<Self, _>(backend, input).await
        }
        /// Asks for every input at once; the answers keep their order, and a failure loses no other.
        pub async fn predict_all(
            backend: &impl __candle::Backend,
            inputs: impl ::core::iter::IntoIterator<Item = TriageInput>,
        ) -> __candle::Vec<__candle::Asked<TriageOutput>> {
            __candle::predict_all::<Self, _>(backend, inputs).await
        }
        /// Asks a backend for the outputs, and tells the fields while they are generated.
        pub fn stream(
            backend: &impl __candle::Backend,
            input: TriageInput,
        ) -> __candle::PredictStream<'_, TriageOutput> {
            __candle::stream::<Self, _>(backend, input)
        }
        /// The messages that [`predict`](Self::predict) sends.
        #[must_use]
        pub fn format(input: TriageInput) -> __candle::Vec<__candle::Message> {
            __candle::format::<Self>(input)
        }
        /// The outputs that a reply holds. Fails with each field that is missing or can't be read and those that can.
        pub fn parse(reply: &__candle::str) -> __candle::Parsed<TriageOutput> {
            __candle::parse::<Self>(reply)
        }
    }
};
