"""The widget costs the pages of others no more than was promised."""

import gzip
from pathlib import Path

WIDGET = Path(__file__).parents[2] / "static/widget/widget.js"


def test_the_widget_is_at_most_6_kb_on_the_wire():
    assert len(gzip.compress(WIDGET.read_bytes(), 9, mtime=0)) <= 6 * 1024
