"""What happened, over a chart through time: a dotted line on its day, and the words beside it.

Pure: standard library only, no Django, no clock, no I/O. An event is a day and what happened on it,
as somebody typed it; events come in the order of their days.
"""

from collections.abc import Sequence
from datetime import date
from html import escape
from itertools import accumulate
from typing import Any
from unicodedata import east_asian_width

Event = tuple[date, str]

# Words get room as in the narrowest drawing; a phone leaves them to the list below the chart.
DRAWING_WIDTH = 360
ROWS, ROW_HEIGHT = 3, 16
# So many pixels are letters wide: capitals and the like, those of Chinese and pictures, all others.
BROAD, SQUARE, USUAL = 8.5, 12.0, 5.0


def event_lines(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [
        {
            "type": "line",
            "yref": "paper",
            "x0": on.isoformat(),
            "x1": on.isoformat(),
            "y0": 0,
            "y1": 1,
            "line": {"width": 1, "dash": "dot"},
            "name": "event",
        }
        for on, _words in events
    ]


def event_texts(events: Sequence[Event], start: date, end: date) -> list[dict[str, Any]]:
    """Say at the top of each line what happened, on the first row that has room for it.

    The drawing goes from `start` to `end`. Words stand right of their line, or left of it where
    they would leave the drawing or cross another line; what fits on neither side is cut on the
    wider one. The latest day chooses first; where no row has room the line stands alone. The list
    below the chart has all of them in full.
    """
    rows: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    texts: list[dict[str, Any]] = []
    places = [(on - start).days / (end - start).days * DRAWING_WIDTH for on, _words in events]
    for at, (on, words) in reversed(list(zip(places, events, strict=True))):
        side, text = _beside(words, at, [place for place in places if place != at])
        long = sum(map(_width, text))
        room = (at - long, at) if side == "right" else (at, at + long)
        row = next((row for row, taken in enumerate(rows) if _is_free(room, taken)), None)
        if row is not None:
            rows[row].append(room)
            texts.append(_text(on, text, side, row))
    return texts


def _beside(words: str, at: float, others: Sequence[float]) -> tuple[str, str]:
    """Return at which of their ends the words touch the line at a place, and what fits of them."""
    right = min([place for place in others if place > at], default=DRAWING_WIDTH) - at
    left = at - max([place for place in others if place < at], default=0.0)
    long = sum(map(_width, words))
    if long <= right:
        return "left", words
    if long <= left:
        return "right", words
    wide = at > DRAWING_WIDTH / 2
    return ("right", _cut(words, at)) if wide else ("left", _cut(words, DRAWING_WIDTH - at))


def _cut(words: str, space: float) -> str:
    """Return the words, or as many of their letters as fit before three dots."""
    ends = [*accumulate(map(_width, words))]
    if not ends or ends[-1] <= space:
        return words
    fitting = sum(end + USUAL <= space for end in ends)
    return f"{words[:fitting].rstrip()}…"


def _width(letter: str) -> float:
    """Return about how many pixels a letter takes."""
    if east_asian_width(letter) in {"W", "F"}:
        return SQUARE
    return BROAD if letter.isupper() or letter in "mw%@" else USUAL


def _is_free(room: tuple[float, float], taken: Sequence[tuple[float, float]]) -> bool:
    return all(room[1] < left or right < room[0] for left, right in taken)


def _text(on: date, text: str, side: str, row: int) -> dict[str, Any]:
    """Place the words, which stand there as somebody typed them.

    Plotly takes a text for a little HTML, and what is in %{…} for the name of a value.
    """
    return {
        "text": escape(text, quote=False).replace("%", "&#37;"),
        "x": on.isoformat(),
        "xanchor": side,
        "xshift": -4 if side == "right" else 4,
        "align": side,
        "y": 1,
        "yref": "paper",
        "yanchor": "top",
        "yshift": -ROW_HEIGHT * row,
        "showarrow": False,
        "name": "event",
    }
