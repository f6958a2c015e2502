"""The vendored Bootstrap is a subset that can be made again, and no page misses the rest."""

import re

import pytest

from tests.bootstrap import LEFT_OUT, ROOT, SUBSET, WHOLE, subset

PAGES = [
    *(ROOT / "templates").rglob("*.html"),
    *(
        path
        for app in ("customers", "feedback", "mailings", "insights")
        for path in (ROOT / app).rglob("*.py")
    ),
]
CLASSES = re.compile(r"""(?:class=|css_class=|"class": )["']([^"']*)""")
OF_LEFT_OUT = re.compile(rf"(?:{'|'.join(LEFT_OUT)})(?:-[a-z0-9-]+)?")


def test_the_subset_is_made_from_the_whole():
    assert SUBSET.read_text() == subset(WHOLE.read_text())


def test_it_keeps_the_licence_and_what_pages_use():
    kept = SUBSET.read_text()
    assert "Bootstrap  v5.3" in kept[:200]
    for selector in (".btn{", ".form-control{", ".form-select{", ".invalid-feedback{", ".d-none{"):
        assert selector in kept
    assert ".carousel" not in kept


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        (".btn{a:b}.card{c:d}", ".btn{a:b}"),
        (".btn,.card-body>.x{a:b}", ".btn{a:b}"),
        (".cardinal{a:b}.btn:not(.nav-link,.y){c:d}", ".cardinal{a:b}"),
        ("@media print{.card{a:b}}@media print{.btn{a:b}.card{a:b}}", "@media print{.btn{a:b}}"),
        ("@keyframes spinner-grow{to{a:b}}@keyframes x{to{a:b}}", "@keyframes x{to{a:b}}"),
    ],
)
def test_a_rule_goes_if_all_it_is_about_was_left_out(css, expected):
    assert subset(css) == expected


def test_no_page_uses_a_component_that_was_left_out():
    used = {
        name
        for path in PAGES
        for classes in CLASSES.findall(path.read_text())
        for name in classes.split()
    }
    assert {"btn", "ci-panel"} <= used
    assert {name for name in used if OF_LEFT_OUT.fullmatch(name)} == set()
