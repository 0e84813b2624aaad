/// Search the encyclopedia.
async fn search(query: &str, limit: u8) -> Result<Vec<String>, Unreachable> {
    find(query, limit).await
}
///The tool `search`: calls [`search`].
#[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
struct SearchTool;
#[allow(unused_qualifications, non_snake_case)]
const _: () = {
    use ::candle_signature::__private as __candle;
    #[automatically_derived]
    impl __candle::Tool for SearchTool {
        fn name(&self) -> &::core::primitive::str {
            "search"
        }
        fn description(&self) -> &::core::primitive::str {
            "Search the encyclopedia."
        }
        fn arguments(&self) -> &[__candle::FieldSpec] {
            const ARGUMENTS: &[__candle::FieldSpec] = &[
                __candle::FieldSpec::new(
                    "query",
                    "What for.",
                    <::std::string::String as __candle::FieldValue>::REF,
                    &[],
                    __candle::None,
                ),
                __candle::FieldSpec::new(
                    "limit",
                    "",
                    <u8 as __candle::FieldValue>::REF,
                    &[],
                    __candle::Some(
                        __candle::DefaultValue::Lazy(|| <u8 as __candle::FieldValue>::into_value({
                            let value: u8 = 3;
                            value
                        })),
                    ),
                ),
            ];
            ARGUMENTS
        }
        fn call(&self, arguments: __candle::FieldValues) -> __candle::ToolFuture<'_> {
            let fields = self.arguments();
            __candle::Box::pin(async move {
                __candle::check_arguments("search", &arguments, fields)?;
                let mut read = __candle::Reader::strict(arguments, fields);
                let f0 = read
                    .take(<::std::string::String as __candle::FieldValue>::from_value);
                let f1 = read.take(<u8 as __candle::FieldValue>::from_value);
                let read = read.all(|| __candle::Some((f0?, f1?)));
                let (f0, f1) = read
                    .map_err(|errors| __candle::tool_arguments("search", errors))?;
                __candle::tool_result("search", search(&f0, f1).await)
            })
        }
    }
};
