"""The examples of docs/widget.md work as they stand there."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from customers.subjects import Subject, SubjectState, read_subject
from feedback.snippets import Asked, page_snippet

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "widget.md").read_text()


def test_the_example_signs_a_subject_that_is_valid_for_an_hour():
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], names)
    token = names["subject"]("K123", "a key")
    now = datetime.now(UTC)
    assert read_subject(token, keys=["a key"], now=now) == Subject(SubjectState.VALID, "K123")
    later = now + timedelta(hours=1, seconds=1)
    assert read_subject(token, keys=["a key"], now=later).state == SubjectState.EXPIRED


def test_the_example_is_the_snippet_of_its_touchpoint():
    asked = Asked(
        base_url="https://insights.example",
        key="thumb-0123456789ab",
        scale="thumb",
        language="en",
        question="Did this page help you?",
    )
    assert f"```html\n{page_snippet(asked)}\n```" in TEXT
