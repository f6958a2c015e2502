"""The share who say that they have enough control over their data: what permission is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from feedback.models import Touchpoint
from feedback.questions import CONTROL, Question
from insights import queries
from insights.dashboard.figures import Shown
from insights.dashboard.selection import Selection
from insights.disclosure import is_small
from insights.kpis import KPIS, Figure, add, change, figure, verdicts
from insights.templatetags.numbers import headline

# The KPI that the answers on a scale make.
KPI_OF = {kpi.measure: kpi.key for kpi in KPIS.values()}


@dataclass(frozen=True)
class Control:
    """One of the two questions, and what the answers say."""

    question: str
    label: str
    row: Shown


@dataclass(frozen=True)
class ControlPanel:
    """`asked` is whether any touchpoint asks; else the page says how to begin."""

    title: str
    asked: bool
    rows: list[Control]
    ready: str


def control_panel(selection: Selection, language: str, *, formal: bool) -> ControlPanel:
    """Return the figures of the touchpoints that ask about control; a fixed number of queries."""
    found = _touchpoints()
    rows = [
        Control(
            one.said(language, formal=formal), _label(one), _figure(selection, one, found[one.key])
        )
        for one in CONTROL
        if one.key in found
    ]
    return ControlPanel(
        title=_title(rows),
        asked=bool(found),
        rows=rows,
        ready=CONTROL[-1].said(language, formal=formal),
    )


def _touchpoints() -> dict[str, set[str]]:
    """Return the internal keys of the touchpoints that ask each of the questions."""
    texts = {text: one for one in CONTROL for text in (one.nl, one.nl_formal) if text}
    rows = Touchpoint.objects.filter(question_nl__in=texts).values_list("question_nl", "pk")
    found: dict[str, set[str]] = {}
    for text, pk in rows:
        found.setdefault(texts[text].key, set()).add(str(pk))
    return found


def _figure(selection: Selection, question: Question, keys: set[str]) -> Shown:
    kpi = KPIS[KPI_OF[question.scale]]
    period = selection.period
    rows = queries.kpi_rows(
        kpi.key, period.start, period.end, dimension="touchpoint", compare=selection.against
    )
    asked = [row for row in rows if row.key in keys]
    now = figure(kpi, _sum([row.figure for row in asked]))
    before = figure(kpi, _sum([row.before for row in asked if row.before]))
    moved = change(kpi, before, now)
    verdict = verdicts([(before, now, moved)])[0]
    return Shown(kpi.key, now, before, moved, verdict, None, hidden=is_small(now.n))


def _sum(figures: Sequence[Figure]) -> Mapping[str, int]:
    return add(*(one.counts for one in figures))


def _label(question: Question) -> str:
    return _("Agree") if question.scale == "thumb" else _("Satisfied (4 and 5)")


def _title(rows: Sequence[Control]) -> str:
    shown = [one.row for one in rows if one.row.shown]
    if not shown:
        return _("Enough control over one’s data?")
    value = headline(shown[0].figure.value or 0.0, "percent")
    if rows and shown[0].kpi == "thumbs":
        return _("%(share)s say they have enough control over their data") % {"share": value}
    return _("%(share)s are satisfied with the control over their data") % {"share": value}
