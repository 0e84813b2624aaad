#!/usr/bin/env bash
# cargo-llvm-cov's wrapper of rustc as coverage.sh calls it: lets the library leave its kernels out of the count, by an attribute that is otherwise for
# nightly releases. RUSTC_BOOTSTRAP for all crates would have every build script run again.
case " $* " in
  *" --crate-name candle_signature "*) RUSTC_BOOTSTRAP=1 exec cargo-llvm-cov "$@" --cfg coverage_nightly ;;
  *) exec cargo-llvm-cov "$@" ;;
esac
