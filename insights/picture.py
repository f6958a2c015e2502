"""A figure as an SVG picture: what a page shows before somebody explores it.

It draws the same dict that Plotly gets (charts.py, score_chart.py), and of Plotly's language as
much as those use: lines, bands, dots and bars, lines and areas over them, texts. Colours come from
the style sheet by the names of the roles, so a change of theme needs nothing.

It is as wide as its place: the box of the picture is the drawing between its margins, which the
style sheet leaves free; what lies across is a part of it in percent, heights are pixels. Only lines
and bands are stretched, without their strokes; a text or a dot never is.

Pure: standard library only, no Django, no clock, no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape, unescape
from itertools import groupby
from typing import Any

Where = str | float
Spec = Mapping[str, Any]

# Which class draws a role: lines, areas, dots.
LINES = {"line": "l", "before": "before"}
# Half a line of text: what stands in the middle of a height.
HALF = 4


@dataclass(frozen=True, slots=True)
class Size:
    """What is drawn for: the height of the whole in pixels, and whether for a phone."""

    height: int
    phone: bool = False


class Frame:
    """Where values lie in the picture: across in percent, down in pixels."""

    def __init__(self, figure: Spec, size: Size) -> None:
        layout = figure["layout"]
        margin = layout.get("margin") or _template(layout)["margin"]
        self.top = margin["t"]
        self.bottom = size.height - margin["b"]
        self._x = [_number(end) for end in layout["xaxis"]["range"]]
        self._y = layout["yaxis"]["range"]

    def x(self, value: Where) -> float:
        start, end = self._x
        return (_number(value) - start) / (end - start) * 100

    def y(self, value: float) -> float:
        low, high = self._y
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def share(self, part: float) -> float:
        """The height of a part of the drawing, 0 at its foot and 1 at its top."""
        return self.bottom - part * (self.bottom - self.top)


def draw(figure: Spec, size: Size) -> str:
    """Return a figure as SVG. It is hidden from readers: the caption says what it shows."""
    frame, layout = Frame(figure, size), figure["layout"]
    # A figure without any has no such list.
    shapes, texts = layout.get("shapes", ()), layout.get("annotations", ())
    below = [shape for shape in shapes if shape.get("layer") == "below"]
    above = [shape for shape in shapes if shape.get("layer") != "below"]
    left_out = ("wide", "event") if size.phone else ("narrow",)
    shown = [text for text in texts if _width(text["name"]) not in left_out]
    parts = [
        *(_shape(shape, frame) for shape in below),
        *_grid(layout["yaxis"], frame),
        *_names(layout["xaxis"], frame, phone=size.phone),
        *(part for trace in figure["data"] for part in _trace(trace, frame, layout)),
        *(_shape(shape, frame) for shape in above),
        *(_words(text, frame) for text in shown),
    ]
    return (
        '<svg class="ci-chart ci-picture" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


# -- Axes -----------------------------------------------------------------------------------------


def _grid(axis: Spec, frame: Frame) -> Iterator[str]:
    texts = axis.get("ticktext") or [""] * len(axis["tickvals"])
    for value, text in zip(axis["tickvals"], texts, strict=True):
        y = frame.y(value)
        yield _line(0, y, 100, y, "g0" if value == 0 else "g")
        if text:
            yield _text(0, y + HALF, text, "end", shift=-6)


# Names of months that fit beside each other on a phone; chart.js has the same number.
MOST_TICKS = 6


def _names(axis: Spec, frame: Frame, *, phone: bool) -> Iterator[str]:
    ticks = list(zip(axis["tickvals"], axis["ticktext"], strict=True))
    dates = bool(ticks) and isinstance(ticks[0][0], str)
    step = -(-len(ticks) // MOST_TICKS) if phone and dates else 1
    for value, text in ticks[:: max(step, 1)]:
        x = frame.x(value)
        if dates:
            yield _line(x, frame.bottom, x, frame.bottom + 4, "g0")
        yield _text(x, frame.bottom + (19 if dates else 14), text, "middle")


# -- Traces ---------------------------------------------------------------------------------------


def _trace(trace: Spec, frame: Frame, layout: Spec) -> Iterable[str]:
    role = trace["meta"]["role"]
    if trace["type"] == "bar":
        return _bars(trace, frame, layout["bargap"])
    if trace["mode"] == "text":
        return _numbers(trace, frame)
    if trace["mode"] == "markers":
        radius = trace["marker"]["size"] / 2
        css = "d halo" if role == "end" else "single"
        return [
            f'<circle cx="{x:.2f}%" cy="{y:.1f}" r="{radius}" class="{css}"/>'
            for run in _runs(trace, frame)
            for x, y in run
            # A week can begin before the period does.
            if 0 <= x <= 100
        ]
    band = trace.get("fill") == "toself"
    css = role if band else LINES[role]
    return [_stretched(frame, [_path(run, css, closed=band) for run in _runs(trace, frame)])]


def _runs(trace: Spec, frame: Frame) -> list[list[tuple[float, float]]]:
    """Return the points of a trace as stretches without a gap."""
    points = list(zip(trace["x"], trace["y"], strict=True))
    return [
        [(frame.x(x), frame.y(y)) for x, y in run]
        for known, run in groupby(points, key=lambda point: point[1] is not None)
        if known
    ]


def _bars(trace: Spec, frame: Frame, gap: float) -> Iterator[str]:
    half = (1 - gap) / 2
    bars = zip(trace["x"], trace["y"], trace["meta"]["roles"], strict=True)
    for at, value, role in bars:
        left, right, top = frame.x(at - half), frame.x(at + half), frame.y(value)
        yield (
            f'<rect x="{left:.2f}%" y="{top:.1f}" width="{right - left:.2f}%" '
            f'height="{frame.bottom - top:.1f}" rx="2" class="bar-{role}"/>'
        )


def _numbers(trace: Spec, frame: Frame) -> Iterator[str]:
    for at, value, text in zip(trace["x"], trace["y"], trace["text"], strict=True):
        yield _text(frame.x(at), frame.y(value) - 3, text, "middle", "t-2")


# -- Shapes and words -----------------------------------------------------------------------------


def _shape(shape: Spec, frame: Frame) -> str:
    x0, x1 = frame.x(shape["x0"]), frame.x(shape["x1"])
    if shape.get("ysizemode") == "pixel":
        y0, y1 = (frame.bottom - shape[end] for end in ("y0", "y1"))
    elif shape.get("yref") == "paper":
        y0, y1 = (frame.share(shape[end]) for end in ("y0", "y1"))
    else:
        y0, y1 = (frame.y(shape[end]) for end in ("y0", "y1"))
    if shape["type"] == "line":
        return _line(x0, y0, x1, y1, f"s-{shape['name']}")
    return (
        f'<rect x="{x0:.2f}%" y="{y1:.1f}" width="{x1 - x0:.2f}%" height="{y0 - y1:.1f}" '
        f'class="{shape["name"]}"/>'
    )


ANCHORS = {"left": "start", "right": "end", "center": "middle"}
# As Plotly does: where a text stands from its place, and its baseline from its height. Without an
# anchor a text at a part of the drawing stands on it, and one at a value around it.
PADDING = {"left": 2, "right": -2, "center": 0}
BASELINES = {"top": 14, "middle": HALF, "foot": -HALF}


def _words(text: Spec, frame: Frame) -> str:
    paper = text.get("yref") == "paper"
    y = frame.share(text["y"]) if paper else frame.y(text["y"])
    side = text.get("xanchor", "center")
    return _text(
        frame.x(text["x"]),
        y - text.get("yshift", 0) + BASELINES[text.get("yanchor", "foot" if paper else "middle")],
        unescape(text["text"]),
        ANCHORS[side],
        f"t-{text['name'].split('-')[-1]}",
        shift=text.get("xshift", 0) + PADDING[side],
    )


def _width(name: str) -> str:
    return name.split("-", maxsplit=1)[0]


# -- SVG ------------------------------------------------------------------------------------------


# How many parts the stretched lines and bands divide the width in.
PARTS = 1000


def _stretched(frame: Frame, paths: Iterable[str]) -> str:
    """Return lines and bands that are as wide as the drawing, cut off at its edges."""
    top, height = frame.top, frame.bottom - frame.top
    return (
        f'<svg y="{top}" width="100%" height="{height}" viewBox="0 {top} {PARTS} {height}" '
        f'preserveAspectRatio="none">{"".join(paths)}</svg>'
    )


def _path(points: Sequence[tuple[float, float]], css: str, *, closed: bool = False) -> str:
    line = "L".join(f"{x * PARTS / 100:.1f} {y:.1f}" for x, y in points)
    return f'<path d="M{line}{"Z" if closed else ""}" class="{css}"/>'


def _line(x0: float, y0: float, x1: float, y1: float, css: str) -> str:
    return f'<line x1="{x0:.2f}%" y1="{y0:.1f}" x2="{x1:.2f}%" y2="{y1:.1f}" class="{css}"/>'


def _text(x: float, y: float, text: str, anchor: str, css: str = "", *, shift: float = 0) -> str:
    """Return a text at a part of the width, moved by some pixels."""
    moved = f' dx="{shift:g}"' if shift else ""
    shown = f' class="{css}"' if css else ""
    return (
        f'<text x="{x:.2f}%" y="{y:.1f}"{moved} text-anchor="{anchor}"{shown}>{escape(text)}</text>'
    )


def _number(value: Where) -> float:
    """Return a place on an axis as a number; days are numbered."""
    return date.fromisoformat(value).toordinal() if isinstance(value, str) else value


def _template(layout: Spec) -> Spec:
    found: Spec = layout["template"]["layout"]
    return found
