//! Generated code stands in hostile places: without a prelude, beside shadowing names, in function bodies, under
//! every lint. This package does not depend on serde; `ui-tests` compiles the same file in edition 2021.
#![deny(warnings, missing_docs, unsafe_code, unreachable_pub, clippy::pedantic)]

/// No prelude: not even `Some` is in scope.
pub mod without_prelude {
    #![no_implicit_prelude]

    /// A field type.
    #[derive(::candle_signature::CandleValue)]
    pub enum Urgency {
        /// Can wait.
        Low,
        /// Cannot.
        High,
    }

    /// One with data.
    #[derive(::candle_signature::CandleValue)]
    pub enum Shape {
        /// Nothing.
        Nothing,
        /// A name.
        Named(::std::string::String),
        /// A circle.
        Circle {
            /// Its radius.
            #[value(min = 0.0, default = 1.0)]
            radius: f64,
            /// Not shown.
            #[value(skip)]
            cache: ::core::option::Option<u8>,
        },
    }

    /// Sort the ticket.
    #[derive(::candle_signature::CandleSignature)]
    #[signature(output(derive(::core::cmp::PartialEq, ::core::cmp::PartialOrd), bare))]
    pub struct Triage {
        #[input(len = 1.., regex = "[a-z]+", one_of = ["a", "b"], one_line)]
        ticket: ::std::string::String,
        #[input]
        urgency: Urgency,
        #[input]
        shape: Shape,
        #[output(unique, default = ["a"], check(|tags| !tags.is_empty(), "give a tag"), assert(::std::vec::Vec::is_empty, "none"))]
        tags: ::std::vec::Vec<::std::string::String>,
        #[output(min = 1, max = 5, default)]
        score: ::core::option::Option<u8>,
    }

    /// A tool.
    ///
    /// # Errors
    /// None.
    #[::candle_signature::candle_tool]
    pub async fn search(
        /// What for.
        query: &str,
        #[arg(default = 3)] limit: u8,
    ) -> ::core::result::Result<::std::string::String, ::std::string::String> {
        ::core::future::ready(()).await;
        ::core::result::Result::Ok(::std::format!("{query}{limit}"))
    }

    /// Demos.
    #[must_use]
    pub fn demos() -> ::std::vec::Vec<::candle_signature::signature::Demo<Triage>> {
        ::candle_signature::examples![
            Triage {
                ticket: "a",
                urgency: Urgency::Low,
                shape: Shape::Named("x"),
                tags: ["b"],
                score: ::core::option::Option::None
            },
            Triage { ticket: "b", .. },
        ]
    }

    /// An untyped one.
    #[must_use]
    pub fn untyped() -> ::candle_signature::signature::Example {
        ::candle_signature::example! { "a": "input" => "b", "c": "output" => [1, "d"] }
    }
}

/// Names of the standard library that mean something else here.
pub mod shadowed {
    #![allow(dead_code, non_camel_case_types)]

    use candle_signature::{CandleSignature, CandleValue, candle_tool, example};

    struct Result;
    struct Option;
    struct Vec;
    struct Box;
    struct String;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Self_;
    struct Default;
    struct From;
    struct Clone;
    struct Debug;
    struct PartialEq;
    struct Send;
    struct Sized;
    struct Demo;
    struct Signature;
    struct FieldSet;
    struct Value;
    type str = u8;
    type usize = i8;
    type bool = char;
    mod core_ {}
    mod std {}
    mod candle {}

    /// Answer.
    #[derive(CandleSignature)]
    pub struct QA {
        #[input]
        question: ::std::string::String,
        #[output(one_of = ["yes", "no"], check(|answer| answer.len() == 2, "say no"))]
        answer: ::std::string::String,
        #[output]
        mood: Mood,
    }

    /// A mood.
    #[derive(CandleValue)]
    pub enum Mood {
        /// Good.
        Good,
    }

    #[candle_tool]
    fn forget() {}

    /// A demo.
    #[must_use]
    pub fn demo() -> candle_signature::signature::Demo<QA> {
        example!(QA {
            question: "a",
            answer: "yes",
            mood: Mood::Good
        })
    }
}

/// The crate under another name.
pub mod renamed {
    use candle_signature as renamed_crate;
    use renamed_crate::signature::{Demo, Signature, Tool};

    /// Answer.
    #[derive(renamed_crate::CandleSignature)]
    #[signature(crate = "renamed_crate")]
    pub struct QA {
        #[input]
        question: String,
        #[output(max = 3)]
        score: Score,
    }

    /// A score.
    #[derive(renamed_crate::CandleValue)]
    #[value(crate = "renamed_crate")]
    pub struct Holder {
        score: u8,
    }

    type Score = u8;

    #[renamed_crate::candle_tool(crate = "renamed_crate")]
    fn now() -> String {
        "noon".into()
    }

    /// Name of the signature and the tool.
    #[must_use]
    pub fn names() -> (String, String) {
        (QA::SPEC.name.to_string(), NowTool.name().to_owned())
    }

    /// A demo.
    #[must_use]
    pub fn demo() -> Demo<QA> {
        renamed_crate::example!(QA {
            question: "a",
            score: 1
        })
    }

    /// Keeps the field in use.
    #[must_use]
    pub fn score(holder: &Holder) -> u8 {
        holder.score
    }
}

/// Everything that generated code names is imported, so that every path of it is longer than need be.
pub mod imported {
    #![allow(unused_imports)]

    use candle_signature::__private::{
        Demo, Err, FieldSet, FieldSpec, FieldType, FieldValue, FieldValues, Known, None, Ok,
        Payload, Reader, Result, Signature, Some, Tool, TypeRef, Value, ValueError, Vec,
        constraint, predict, text, values,
    };
    use candle_signature::{CandleSignature, CandleValue, candle_tool, example};

    /// A level.
    #[derive(CandleValue)]
    pub enum Level {
        /// Low.
        Low(u8),
    }

    /// Tell the level.
    #[derive(CandleSignature)]
    pub struct Tell {
        #[input(len = 1..)]
        text: String,
        #[output(default = Level::Low(3))]
        level: Level,
    }

    #[candle_tool]
    fn twice(number: u8) -> u8 {
        number * 2
    }

    /// A demo.
    #[must_use]
    pub fn demo() -> Demo<Tell> {
        drop(TwiceTool.call(FieldValues::new()));
        example!(Tell {
            text: "a",
            level: Level::Low(1)
        })
    }
}

/// What is private stays so.
pub mod private {
    use candle_signature::CandleSignature;

    /// A private type, as the field of a private signature.
    #[derive(candle_signature::CandleValue)]
    struct Secret {
        word: String,
    }

    #[derive(CandleSignature)]
    struct Hidden {
        #[input]
        question: String,
        #[output]
        secret: Secret,
    }

    /// A private signature whose halves are seen by the whole crate.
    #[derive(CandleSignature)]
    #[signature(vis = "pub(crate)")]
    struct Narrow {
        #[input]
        question: String,
        #[output]
        answer: String,
    }

    /// Uses the private signature.
    #[must_use]
    pub fn ask() -> usize {
        let input = HiddenInput {
            question: "Who?".into(),
        };
        let read = |output: HiddenOutput| output.secret.word.len();
        Hidden::format(input).len() + Hidden::parse("").map_or(0, read)
    }

    pub(crate) fn narrow() -> NarrowInput {
        let _ = Narrow::format;
        NarrowInput {
            question: "Who?".into(),
        }
    }
}

/// Names that need care.
pub mod names {
    use candle_signature::CandleSignature;

    /// Raw identifiers, Unicode, and names that generated code might use itself.
    #[derive(CandleSignature)]
    #[signature(rename_all = "camelCase")]
    pub struct Odd {
        #[input]
        pub(crate) r#type: String,
        #[input]
        pub(crate) größe_in_cm: u8,
        #[input]
        pub(crate) values: u8,
        #[input]
        pub(crate) reader: u8,
        #[input]
        pub(crate) fields: u8,
        #[output]
        pub(crate) f0: u8,
        #[output]
        pub(crate) value: u8,
        #[output]
        pub(crate) private: u8,
        #[output]
        pub(crate) r#match: Option<u8>,
    }

    /// A type parameter by the name that `predict` might use.
    #[derive(CandleSignature)]
    pub struct Extract<B, const N: usize> {
        #[input]
        text: String,
        #[output]
        items: [B; N],
    }
}

mod tests {
    use candle_signature::example;
    use candle_signature::signature::{FieldSet, Signature, Value};

    use super::{imported, names, private, renamed, shadowed, without_prelude};

    #[test]
    fn hostile_modules_work() {
        assert_eq!(without_prelude::demos().len(), 2);
        assert_eq!(without_prelude::untyped().outputs().len(), 1);
        assert_eq!(shadowed::demo().values().inputs.len(), 1);
        assert_eq!(renamed::names(), ("QA".into(), "now".into()));
        assert_eq!(renamed::demo().values().outputs.len(), 1);
        assert_eq!(imported::demo().values().outputs.len(), 1);
        assert!(private::ask() > 0);
        assert_eq!(private::narrow().question, "Who?");
    }

    #[test]
    fn a_function_body_holds_a_whole_signature() {
        use candle_signature::{CandleSignature, CandleValue, candle_tool};

        #[derive(CandleValue)]
        enum Mood {
            Good,
            Bad,
        }

        /// Tell the mood.
        #[derive(CandleSignature)]
        struct Tell {
            #[input]
            text: String,
            #[output]
            mood: Mood,
        }

        #[candle_tool]
        fn now() {}

        let demo = example!(Tell {
            text: "Hooray!",
            mood: Mood::Good
        });
        assert_eq!(
            demo.values().outputs.get("mood"),
            Some(&Value::String("Good".into()))
        );
        let demo = example!(Tell {
            mood: Mood::Bad,
            ..
        });
        assert!(demo.values().inputs.is_empty());
        assert_eq!(Tell::format(TellInput { text: "Hm.".into() }).len(), 2);
        assert!(Tell::parse("").is_err());
        let _ = NowTool;
        now();
    }

    #[test]
    fn odd_names_are_shown_plain() {
        let names: Vec<_> = names::Odd::SPEC
            .inputs
            .iter()
            .map(|field| &*field.name)
            .collect();
        assert_eq!(names, ["type", "größeInCm", "values", "reader", "fields"]);
        let names: Vec<_> = names::OddOutput::FIELDS
            .iter()
            .map(|field| &*field.name)
            .collect();
        assert_eq!(names, ["f0", "value", "private", "match"]);
        let demo = example!(names::Odd {
            r#type: "a",
            größe_in_cm: 3,
            ..
        });
        assert_eq!(demo.values().inputs.get("größeInCm"), Some(&Value::Int(3)));
    }

    #[test]
    fn generics_reach_the_half_that_uses_them() {
        let input = names::ExtractInput { text: "1 2".into() };
        assert_eq!(names::Extract::<u8, 2>::format(input).len(), 2);
        let output = names::ExtractOutput { items: [1u8, 2] };
        assert_eq!(
            names::ExtractOutput::from_values(output.clone().into_values()),
            Ok(output)
        );
    }
}
