"""What a page of a form asks and how, read from its HTML as a browser would get it.

The gate judges pages by what is in them and not by what they were made from, so that no template
can tick a box.

Pure: standard library only, no Django, no clock, no I/O.
"""

from html.parser import HTMLParser

from customers.gate import Screen

# Elements without an end: nothing is inside them.
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track"}
)
# Classes that take something out of sight, ours and those of Bootstrap.
HIDING = frozenset({"d-none", "invisible", "visually-hidden", "ci-sr", "opacity-0"})


def screen_of(html: str) -> Screen:
    """Return how a page shows its ticks; without a checkbox it asks for no purpose."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    styles = reader.buttons or [""]
    return Screen(
        purposes=reader.boxes,
        ticked=reader.ticked,
        required=reader.required,
        hidden=reader.hidden,
        yes_style=styles[0],
        # A page with one button has no other to compare it with.
        no_style=next((style for style in styles if style != styles[0]), styles[0]),
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.boxes = 0
        self.ticked = self.required = self.hidden = False
        # The classes of each button that sends the form, in a fixed order.
        self.buttons: list[str] = []
        # Of each element that is open: its name, and whether it takes what is inside out of sight.
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        kind = (found.get("type") or "").lower()
        if tag == "input" and kind in {"checkbox", "radio"}:
            self._see_box(found)
        if (tag == "button" and kind in {"", "submit"}) or (tag == "input" and kind == "submit"):
            self.buttons.append(" ".join(sorted(set((found.get("class") or "").split()))))
        if tag not in VOID:
            closed = tag == "details" and "open" not in found
            self._open.append((tag, closed or _hides(found)))

    def handle_endtag(self, tag: str) -> None:
        names = [name for name, _ in self._open]
        if tag in names:
            del self._open[len(names) - 1 - names[::-1].index(tag) :]

    def _see_box(self, attributes: dict[str, str | None]) -> None:
        self.boxes += 1
        ticked = "checked" in attributes or attributes.get("aria-checked") == "true"
        required = "required" in attributes or attributes.get("aria-required") == "true"
        inside = any(hides for _, hides in self._open)
        self.ticked = self.ticked or ticked
        self.required = self.required or required
        self.hidden = self.hidden or inside or _hides(attributes)


def _hides(attributes: dict[str, str | None]) -> bool:
    style = "".join((attributes.get("style") or "").lower().split())
    classes = (attributes.get("class") or "").split()
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or not HIDING.isdisjoint(classes)
        or any(rule in style for rule in ("display:none", "visibility:hidden", "opacity:0"))
    )
