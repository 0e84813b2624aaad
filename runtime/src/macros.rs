//! The function-like macros: thin shells that hand `$crate` to the procedural ones, so that a renamed crate works.

/// Builds a demo, typed or untyped.
#[macro_export]
macro_rules! example {
    ($($tokens:tt)*) => {
        $crate::__private::example!([$crate] $($tokens)*)
    };
}

/// Builds a vector of demos.
#[macro_export]
macro_rules! examples {
    ($($tokens:tt)*) => {
        $crate::__private::examples!([$crate] $($tokens)*)
    };
}

/// Reads demos from a JSON or JSONL file while the program compiles.
#[macro_export]
macro_rules! example_file {
    ($($tokens:tt)*) => {
        $crate::__private::example_file!([$crate] $($tokens)*)
    };
}
