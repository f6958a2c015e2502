"""Bootstrap without the components that no page has: a third less to load before the first page.

    python -m tests.bootstrap

writes static/vendor/bootstrap-5.3.subset.min.css from the untouched file in tests/vendor. A test
makes it again and compares, and another looks whether a page uses what was left out.
"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
WHOLE = ROOT / "tests/vendor/bootstrap-5.3.min.css"
SUBSET = ROOT / "static/vendor/bootstrap-5.3.subset.min.css"

LEFT_OUT = (
    "accordion", "badge", "breadcrumb", "btn-close", "btn-group", "btn-toolbar", "card", "carousel",
    "collapse", "collapsing", "dropdown", "dropend", "dropstart", "dropup", "figure", "form-range",
    "input-group", "list-group", "modal", "nav", "navbar", "offcanvas", "page", "pagination",
    "placeholder", "popover", "progress", "ratio", "spinner", "tab-content", "toast", "tooltip",
)  # fmt: skip
OF_LEFT_OUT = re.compile(rf"\.(?:bs-)?(?:{'|'.join(LEFT_OUT)})(?![a-z0-9])")
# Commas between selectors, not those inside :not(…).
BETWEEN = re.compile(r",(?![^(]*\))")


def subset(css: str) -> str:
    """Return the rules whose selectors are not all of components left out."""
    kept = []
    for head, body in _blocks(css):
        if head.strip().startswith(("@media", "@supports")):
            inner = subset(body)
            kept += [f"{head}{{{inner}}}"] if inner else []
        elif head.strip().startswith("@"):
            kept += [] if re.search("spinner|progress|placeholder", head) else [f"{head}{{{body}}}"]
        else:
            selectors = [one for one in BETWEEN.split(head) if not OF_LEFT_OUT.search(one)]
            kept += [f"{','.join(selectors)}{{{body}}}"] if selectors else []
    return "".join(kept)


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """Return each rule at the top as what stands before its braces and what stands in them."""
    at = 0
    while (opened := css.find("{", at)) >= 0:
        depth, end = 1, opened + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        yield css[at:opened], css[opened + 1 : end - 1]
        at = end


if __name__ == "__main__":
    SUBSET.write_text(subset(WHOLE.read_text()))
