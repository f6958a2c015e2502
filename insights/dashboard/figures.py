"""Headline figures: what may be shown of each, how it is judged, and the title they give."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from insights import charts, queries
from insights.dashboard.selection import Selection
from insights.disclosure import hidden_rows, is_small
from insights.kpis import KPIS, MIN_VERDICT, Change, Figure, Verdict
from insights.queries import FrozenNote, KpiRow
from insights.templatetags.numbers import headline, number

# How a KPI is called above its figure, and inside a sentence.
KPI_LABELS = {
    "nps": gettext_lazy("NPS"),
    "csat": gettext_lazy("Satisfied (CSAT 4–5)"),
    "ces": gettext_lazy("Easy (CES 5–7)"),
    "thumbs": gettext_lazy("Thumbs up"),
    "response_rate": gettext_lazy("Response rate"),
}
KPI_SHORT = {
    "nps": gettext_lazy("NPS"),
    "csat": gettext_lazy("Satisfied"),
    "ces": gettext_lazy("Easy"),
    "thumbs": gettext_lazy("Thumbs up"),
    "response_rate": gettext_lazy("Response"),
}
KPI_NAMES = {
    "nps": gettext_lazy("NPS"),
    "csat": gettext_lazy("satisfaction"),
    "ces": gettext_lazy("ease"),
    "thumbs": gettext_lazy("thumbs up"),
    "response_rate": gettext_lazy("response rate"),
}
# These are on the page even before the first answer; the others come with their first answer.
ALWAYS_SHOWN = ("nps", "thumbs", "response_rate")


@dataclass(frozen=True)
class Shown:
    """A figure as it may be shown: under 5 not at all, under 30 as an interval, else in full."""

    kpi: str
    figure: Figure
    before: Figure | None
    change: Change | None
    verdict: Verdict | None
    frozen: FrozenNote | None
    hidden: bool

    @property
    def unit(self) -> charts.Unit:
        return KPIS[self.kpi].unit

    @property
    def empty(self) -> bool:
        return self.figure.n == 0

    @property
    def few(self) -> bool:
        return not self.hidden and 0 < self.figure.n < MIN_VERDICT

    @property
    def protecting(self) -> bool:
        """Whether it is hidden although enough people answered, for the sake of another figure."""
        return self.hidden and not is_small(self.figure.n)

    @property
    def drawn(self) -> bool:
        return not self.hidden and not self.empty

    @property
    def shown(self) -> bool:
        return self.drawn and not self.few

    @property
    def ring(self) -> float | None:
        """The value before, if both it and this one may be shown."""
        if not self.shown or self.before is None or self.before.n < MIN_VERDICT:
            return None
        return self.before.value

    @property
    def comparable(self) -> bool:
        return self.ring is not None and self.change is not None

    @property
    def shape(self) -> str:
        """The glyph of the verdict."""
        return {Verdict.UP: "up", Verdict.DOWN: "down"}.get(self.verdict or Verdict.TOO_FEW, "flat")

    @property
    def mood(self) -> str:
        """The class of the verdict: every KPI here is better when it is higher."""
        return {"up": "good", "down": "bad"}.get(self.shape, "flat")

    @property
    def tone(self) -> str:
        """The ending of the drawing's classes: coloured only with a verdict."""
        return {"up": "-up", "down": "-down"}.get(self.shape, "") if self.comparable else ""

    @property
    def words(self) -> str:
        return {
            Verdict.UP: _("Up, and not by chance"),
            Verdict.DOWN: _("Down, and not by chance"),
        }.get(self.verdict or Verdict.TOO_FEW, _("No demonstrable change"))

    @property
    def answers(self) -> str:
        return answers(self.kpi, self.figure.n)


@dataclass(frozen=True)
class Block(Shown):
    """A headline figure."""

    axis: charts.Axis
    link: str
    current: bool

    @property
    def label(self) -> str:
        return str(KPI_LABELS[self.kpi])

    @property
    def short(self) -> str:
        return str(KPI_SHORT[self.kpi])


def rows_of(
    selection: Selection, kpi: str, *, dimension: str | None = None, compare: bool = True
) -> list[KpiRow]:
    period = selection.period
    return queries.kpi_rows(
        kpi,
        period.start,
        period.end,
        dimension=dimension,
        where=selection.where,
        compare=selection.against if compare else None,
    )


def is_guarded(selection: Selection, kpi: str, n: int) -> bool:
    """Say whether a figure over so many answers would point at somebody.

    A filter shows no more than the table it was chosen from: what is hidden in there, for itself
    or for another row, is hidden alone too. Else it would follow from two addresses.
    """
    return is_small(n) or any(_hidden_in_table(selection, kpi, name) for name in selection.where)


def _hidden_in_table(selection: Selection, kpi: str, name: str) -> bool:
    others = {key: value for key, value in selection.where.items() if key != name}
    rows = rows_of(replace(selection, where=others), kpi, dimension=name, compare=False)
    hidden = hidden_rows([row.figure.n for row in rows])
    return any(rows[index].slice == selection.where[name] for index in hidden)


def block_of(key: str, selection: Selection) -> Block:
    row = rows_of(selection, key)[0]
    shown = Shown(
        key,
        row.figure,
        row.before,
        row.change,
        row.verdict,
        row.frozen,
        hidden=is_guarded(selection, key, row.figure.n),
    )
    ends = (row.figure.low, row.figure.high) if shown.drawn else ()
    return Block(
        **vars(shown),
        axis=charts.axis([*ends, shown.ring], shown.unit, padding=0.6),
        link=selection.link(kpi=key),
        current=key == selection.kpi,
    )


def title(blocks: Sequence[Block], selection: Selection, *, any_answers: bool) -> str:
    """Say what is the case, and of whom: what moved for sure, else where it stands, if known."""
    if not any(block.shown for block in blocks):
        return _unknown(blocks, any_answers, filtered=bool(selection.where))
    finding = _finding(blocks)
    if not selection.names:
        return finding
    return _("%(filters)s: %(finding)s") % {
        "filters": ", ".join(selection.names.values()),
        "finding": finding,
    }


def _finding(blocks: Sequence[Block]) -> str:
    shown = [block for block in blocks if block.shown]
    judged = [block for block in shown if block.comparable]
    down = [block for block in judged if block.verdict == Verdict.DOWN]
    up = [block for block in judged if block.verdict == Verdict.UP]
    if down or up:
        return _moved(down, up)
    if judged:
        return _("%(figures)s. No demonstrable change.") % {"figures": _standing(judged)}
    return _("%(figures)s. Nothing to compare with yet.") % {"figures": _standing(shown)}


def _unknown(blocks: Sequence[Block], any_answers: bool, *, filtered: bool) -> str:
    if not any_answers:
        return _("No answers yet")
    if all(block.empty or block.hidden for block in blocks) and not filtered:
        if any(block.hidden for block in blocks):
            return _("Answers are coming in. Figures appear from 5.")
    elif any(not block.empty for block in blocks):
        return _("Too few answers to say anything yet")
    return _("No answers for these filters") if filtered else _("No answers in this period")


def _one_moved(block: Block) -> str:
    sentence = (
        _("%(kpi)s %(now)s, was %(before)s. Down, and not by chance.")
        if block.verdict == Verdict.DOWN
        else _("%(kpi)s %(now)s, was %(before)s. Up, and not by chance.")
    )
    return sentence % {
        "kpi": capfirst(str(KPI_NAMES[block.kpi])),
        "now": headline(block.figure.value or 0.0, block.unit),
        "before": headline(block.ring or 0.0, block.unit),
    }


def _moved(down: Sequence[Block], up: Sequence[Block]) -> str:
    if len(down) + len(up) == 1:
        return _one_moved([*down, *up][0])
    if not up:
        return _("Down, and not by chance: %(kpis)s.") % {"kpis": _names(down)}
    if not down:
        return _("Up, and not by chance: %(kpis)s.") % {"kpis": _names(up)}
    return _("Down: %(down)s. Up: %(up)s. Neither is chance.") % {
        "down": _names(down),
        "up": _names(up),
    }


def _names(blocks: Iterable[Block]) -> str:
    return joined([str(KPI_NAMES[block.kpi]) for block in blocks])


def _standing(blocks: Iterable[Block]) -> str:
    figures = [
        f"{KPI_NAMES[block.kpi]} {headline(block.figure.value or 0.0, block.unit)}"
        for block in blocks
    ]
    return capfirst(joined(figures))


def joined(words: Sequence[str]) -> str:
    """Return "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return _("%(some)s and %(last)s") % {"some": ", ".join(words[:-1]), "last": words[-1]}


def answers(kpi: str, n: int) -> str:
    """Return "1 284 answers", or "10 880 asked" for the response rate."""
    if kpi == "response_rate":
        return _("%(n)s asked") % {"n": number(n)}
    return ngettext("%(n)s answer", "%(n)s answers", n) % {"n": number(n)}
