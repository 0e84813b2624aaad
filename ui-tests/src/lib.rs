//! Compile-fail cases of the macros, one folder a kind of mistake. Nothing lives here: see `cases/`.
