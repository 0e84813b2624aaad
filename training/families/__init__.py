"""The task families. Each module's `build(ctx)` gives a signature and a function that draws cases of it."""

from . import arithmetic, classify, extract, qa, react

FAMILIES = {
    "qa": qa.build,
    "classify": classify.build,
    "extract": extract.build,
    "arithmetic": arithmetic.build,
    "react": react.build,
}
