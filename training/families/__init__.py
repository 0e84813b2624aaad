"""The task families. Each module's `build(ctx)` gives a signature and a function that draws cases of it."""

from . import arithmetic, classify, copying, extract, qa, react

FAMILIES = {
    "qa": qa.build,
    "classify": classify.build,
    "extract": extract.build,
    "arithmetic": arithmetic.build,
    "react": react.build,
}

# Trained on, not evaluated: it teaches the tokens.
AUXILIARY = {"copying": copying.build}
