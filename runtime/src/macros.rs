//! The function-like macros: thin shells that hand `$crate` to the procedural ones, so that a renamed crate works.

/// Builds a typed demonstration.
#[macro_export]
macro_rules! example {
    ($($tokens:tt)*) => {
        $crate::__private::example!([$crate] $($tokens)*)
    };
}
