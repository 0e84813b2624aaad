//! The macros. The function-like ones are thin shells that hand `$crate` to the procedural ones, so that they work
//! in a crate that depends on this one under another name.

/// Makes a struct of inputs and outputs a typed signature: a task for a language model, with its prompt, its parser
/// and its types.
///
/// ```
/// use candle_signature::CandleSignature;
///
/// /// Answer the question from the passage.
/// #[derive(CandleSignature)]
/// struct QA {
///     /// Text to read.
///     #[input]
///     passage: String,
///     #[input]
///     question: String,
///     /// A short answer.
///     #[output(one_line)]
///     answer: String,
///     #[output(min = 0.0, max = 1.0)]
///     confidence: f64,
/// }
///
/// let input = QAInput { passage: "Nora is a baker.".into(), question: "What is Nora?".into() };
/// let messages = QA::format(input);
/// assert!(messages[0].content.contains("Answer the question from the passage."));
///
/// let output = QA::parse("[[ ## answer ## ]]\na baker\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]")?;
/// assert_eq!((output.answer.as_str(), output.confidence), ("a baker", 0.9));
/// # Ok::<(), candle_signature::parse::ParseError>(())
/// ```
///
/// For a struct `QA` it writes the structs `QAInput` and `QAOutput` (with the doc comments, and `Debug`, `Clone` and
/// `PartialEq` as long as their fields have them), implements [`Signature`](crate::signature::Signature), and adds
///
/// | function | what it does |
/// |---|---|
/// | `QA::predict(&backend, input).await` | asks a backend; gives `Predicted<QAOutput>` |
/// | `QA::predict_all(&backend, inputs).await` | asks for many at once; a failure loses no other |
/// | `QA::format(input)` | the messages of the prompt |
/// | `QA::parse(reply)` | the outputs that a reply holds |
///
/// The doc comment is the instruction (without one, the model is asked to produce the outputs from the inputs), the
/// doc comments of the fields are their descriptions. A type parameter must be a field type
/// ([`CandleValue`](crate::CandleValue)) and goes to the halves that use it. A lifetime is refused: a signature owns
/// its fields.
///
/// # On the struct: `#[signature(...)]`
///
/// | key | meaning |
/// |---|---|
/// | `instruction = "..."` | the instruction, instead of the doc comment |
/// | `format = "chat"` or `"json"` | sections as DSPy writes them (the default), or one JSON object |
/// | `rename_all = "..."` | respells all field names: `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case`, `SCREAMING-KEBAB-CASE` |
/// | `input(derive(...))`, `output(derive(...))` | more derives for a half; `bare` beside it leaves the usual three out |
/// | `vis = "pub(crate)"` | visibility of what is generated, instead of the struct's own |
/// | `crate = "path"` | where this crate is, if it goes by another name |
///
/// # On a field: `#[input(...)]`, `#[output(...)]`
///
/// | key | on | meaning |
/// |---|---|---|
/// | `desc = "..."` | both | the description, instead of the doc comment |
/// | `rename = "..."` | both | the name in prompt and reply |
/// | `with = module` | both | a foreign type, read and written by `module::{TYPE, from_value, into_value}` |
/// | `format_with = function` | input | shows the value as the text that `fn(&T) -> String` makes of it |
/// | `default`, `default = value` | output | what a reply that leaves the field out means |
/// | `min = 1`, `max = 10` | both, numbers | bounds, both included |
/// | `len = 1..=5`, `len = 3` | both, strings, lists, sets, maps | number of characters, items or entries |
/// | `regex = "..."` | both, strings | the whole string matches (syntax of the `regex` crate) |
/// | `one_of = ["a", "b"]` | both, strings | the string is one of these |
/// | `one_line` | both, strings | no line break |
/// | `unique` | both, lists | no item twice |
/// | `check(test, "message")` | output | a function of `&T` that should hold; may be given several times |
/// | `assert(test, "message")` | output | one that must hold |
///
/// Constraints are shown in the prompt, built into the grammar where that is exact, and checked by the parser.
/// A reply that fails a `check` or `assert` is asked for again with the message, twice unless
/// [`with_retries`](crate::program::Predict::with_retries) says otherwise; one that fails to the last is an error for an
/// `assert`, and named by [`failed_checks`](crate::program::Predicted::failed_checks) for a `check`.
pub use candle_signature_macros::CandleSignature;

/// Makes a struct or an enum a type that a field can have.
///
/// ```
/// use candle_signature::CandleValue;
/// use candle_signature::signature::{FieldValue, Value};
///
/// /// How soon someone must look at it.
/// #[derive(CandleValue, Debug, PartialEq)]
/// #[value(rename_all = "kebab-case")]
/// enum Urgency {
///     Low,
///     /// At once.
///     #[value(alias = "burning")]
///     OnFire,
/// }
///
/// #[derive(CandleValue)]
/// struct Person {
///     name: String,
///     #[value(min = 0, max = 150)]
///     age: Option<u8>,
///     boss: Option<Box<Person>>,
/// }
///
/// #[derive(CandleValue)]
/// enum Shape {
///     Point,
///     Circle { radius: f64 },
///     Named(String),
/// }
///
/// assert_eq!(Urgency::from_value(Value::String("burning".into())), Ok(Urgency::OnFire));
/// ```
///
/// An enum without data is one of its names. One with data is a map whose key `type` names the variant:
/// `{"type": "Circle", "radius": 1.0}`, `{"type": "Named", "value": "dot"}`. A struct with one unnamed field is
/// written as that field. A type may contain itself, through a `Box` or a list.
///
/// # On the type: `#[value(...)]`
///
/// | key | meaning |
/// |---|---|
/// | `rename = "..."` | the name of the type in the prompt |
/// | `rename_all = "..."` | respells the fields or variants, as for a signature |
/// | `desc = "..."` | the description, instead of the doc comment |
/// | `tag = "..."` | the key that names the variant, `type` unless given |
/// | `crate = "path"` | where this crate is, if it goes by another name |
///
/// # On a variant: `#[value(...)]`
///
/// | key | meaning |
/// |---|---|
/// | `rename = "..."` | the name |
/// | `alias = "..."` | another name that means the same; may be given several times |
/// | `desc = "..."` | the description, instead of the doc comment |
///
/// # On a field: `#[value(...)]`
///
/// `desc`, `rename`, `with`, `default` and the constraints as on an output of a signature, and `skip`: neither shown
/// nor read, and filled by `Default` or `default = value`.
pub use candle_signature_macros::CandleValue;

/// Makes a function a tool that a program may call for the model.
///
/// ```
/// use candle_signature::candle_tool;
/// use candle_signature::signature::{FieldValues, Tool, Value};
///
/// /// Search the encyclopedia.
/// #[candle_tool]
/// async fn search(
///     /// What to look for.
///     query: &str,
///     #[arg(min = 1, max = 10, default = 3)] limit: u8,
/// ) -> Result<Vec<String>, std::io::Error> {
///     Ok((1..=limit).map(|at| format!("{query} {at}")).collect())
/// }
///
/// assert_eq!((SearchTool.name(), SearchTool.description()), ("search", "Search the encyclopedia."));
/// # tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
/// let arguments = FieldValues::from_iter([("query", Value::String("rust".into()))]);
/// let found = SearchTool.call(arguments).await;
/// assert!(matches!(found, Ok(Value::List(items)) if items.len() == 3));
/// # });
/// ```
///
/// The function stays as it is. Beside it stands a unit struct, `SearchTool` for `search`, that implements
/// [`Tool`](crate::signature::Tool). Arguments are field types, or `&str`. The result is a field type, `()`, or a
/// `Result` of one of them whose error converts into `Box<dyn Error + Send + Sync>`. The function may be `async`.
///
/// # On the function: `#[candle_tool(...)]`
///
/// | key | meaning |
/// |---|---|
/// | `name = "..."` | the name by which the model calls it, instead of the function's |
/// | `description = "..."` | what it does, instead of the doc comment |
/// | `crate = "path"` | where this crate is, if it goes by another name |
///
/// # On an argument: `#[arg(...)]`
///
/// `desc` (instead of the doc comment), `rename`, `with`, `default` and the constraints as on an output of a signature.
pub use candle_signature_macros::candle_tool;

/// Builds a demo: a [`Demo`](crate::signature::Demo) of a signature, or an untyped
/// [`Example`](crate::signature::Example).
///
/// ```
/// use candle_signature::{CandleSignature, example};
///
/// #[derive(CandleSignature)]
/// struct Triage {
///     #[input]
///     ticket: String,
///     #[output(max = 10)]
///     score: u8,
///     #[output]
///     tags: Vec<String>,
///     #[output]
///     owner: Option<String>,
/// }
///
/// // Typed: rustc checks names and types, and that no field is missing.
/// let demo = example!(Triage { ticket: "Help!", score: 7, tags: ["login"], owner: Some("Mia") });
///
/// // `..` leaves fields out.
/// let partial = example!(Triage { ticket: "Help!", score: 7, .. });
///
/// // Untyped: keys, roles and values.
/// let old = example! { "question": "input" => "What is 2+2?", "answer": "output" => 4 };
/// assert_eq!(old.input_keys, ["question"]);
/// ```
///
/// | written | becomes |
/// |---|---|
/// | `"..."` | whatever text type the field has: `String`, `Box<str>`, `Option<String>`, ... |
/// | `[a, b]` | whatever list, set or array; of pairs, a map |
/// | anything else | itself, so that rustc's own errors stand at your tokens |
///
/// A literal is held to the constraints of its field while the program compiles:
///
/// ```compile_fail,E0080
/// # use candle_signature::{CandleSignature, example};
/// # #[derive(CandleSignature)]
/// # struct Triage { #[output(max = 10)] score: u8 }
/// let demo = example!(Triage { score: 11 }); // `score`: 11 is above `max = 10`
/// ```
#[macro_export]
macro_rules! example {
    ($($tokens:tt)*) => {
        $crate::__private::example!([$crate] $($tokens)*)
    };
}

/// Builds a vector of demos, each as [`example!`](crate::example) would; untyped ones stand in braces.
///
/// ```
/// # use candle_signature::{CandleSignature, examples};
/// # #[derive(CandleSignature)]
/// # struct Sum { #[input] question: String, #[output] answer: i64 }
/// let demos = examples![
///     Sum { question: "2+2?", answer: 4 },
///     Sum { question: "3+3?", answer: 6 },
/// ];
/// assert_eq!(demos.len(), 2);
///
/// let untyped = examples![{ "question": "input" => "2+2?", "answer": "output" => 4 }];
/// assert_eq!(untyped.len(), 1);
/// ```
#[macro_export]
macro_rules! examples {
    ($($tokens:tt)*) => {
        $crate::__private::examples!([$crate] $($tokens)*)
    };
}

/// Reads demos from a file while the program compiles: `example_file!("demos.jsonl" as Triage)`.
///
/// The file is a JSON array of objects (`.json`) or one object a line (`.jsonl`); its path starts at the folder of
/// Cargo.toml. Every record is checked: names, types and constraints, and that no field is missing unless it has a
/// default or is an `Option`. With `, ..` at the end, demos may leave fields out.
///
/// ```
/// # use candle_signature::{CandleSignature, example_file};
/// #[derive(CandleSignature)]
/// struct Sum {
///     #[input]
///     question: String,
///     #[output]
///     answer: i64,
/// }
///
/// // {"question": "2+2?", "answer": 4}
/// // {"question": "3+3?", "answer": 6}
/// let demos = example_file!("../docs/sums.jsonl" as Sum);
/// assert_eq!(demos.len(), 2);
/// ```
///
/// A wrong record is an error of the compiler that names file, line and field, however deep it lies:
/// `` demos.jsonl:3: `owner.boss.age`: 200 is above `max = 150` ``. That goes for every type that derives
/// [`CandleValue`](crate::CandleValue), with its aliases, defaults and constraints, and for those that contain
/// themselves. What only runs with the program is not checked before: a `FieldValue` implemented by hand, the functions of a `with`
/// module, and a generic type within a generic type.
#[macro_export]
macro_rules! example_file {
    ($($tokens:tt)*) => {
        $crate::__private::example_file!([$crate] $($tokens)*)
    };
}
