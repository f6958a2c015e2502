"""Opt-in rate through time for each purpose and channel: small lines on one scale."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _

from customers.permission_queries import Asked
from insights import charts
from insights.consent_words import channel_name, purpose_name
from insights.dashboard.figures import joined
from insights.disclosure import hidden_rows, is_small
from insights.kpis import MIN_SHOWN, MIN_VERDICT, Figure
from insights.periods import Period
from insights.permission.facts import (
    WEEK,
    Facts,
    Line,
    in_months,
    place_in,
    together,
    totals,
    weeks_back,
)
from insights.permission.rates import OPT_IN, Rate, rates, share
from insights.templatetags.numbers import days, number, percent

TOPS = (2.0, 4.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0)


@dataclass(frozen=True)
class PurposeLine:
    """One purpose on one channel: its rate, its line, and how many permit it now.

    `points` are (place from 0 to 1, figure), None where there are too few, as in
    dashboard.multiples; `in_force` is None where it may not be shown.
    """

    line: Line
    key: str
    label: str
    row: Rate
    points: list[tuple[float, Figure | None]]
    in_force: int | None
    of_customers: float | None

    @property
    def last(self) -> Figure | None:
        return self.at(-1)

    def at(self, number: int) -> Figure | None:
        """Return the figure of a point if its value may be printed."""
        figure = self.points[number][1] if self.points else None
        return figure if figure and figure.n >= MIN_VERDICT else None


@dataclass(frozen=True)
class LinesPanel:
    title: str
    deck: str
    axis: charts.Axis
    zone: float
    lines: list[PurposeLine]
    periods: list[Period]
    # The numbers of the points that stand in the table: every n-th, so that none share an answer.
    every: list[int]

    @property
    def columns(self) -> list[str]:
        """Name the days that each point of the table is of."""
        size = together(self.periods)
        return [
            days(Period(self.periods[max(0, at - size + 1)].start, self.periods[at].end))
            for at in self.every
        ]

    @property
    def table(self) -> list[tuple[PurposeLine, list[Figure | None]]]:
        return [(one, [one.at(at) for at in self.every]) for one in self.lines]


def lines_panel(facts: Facts) -> LinesPanel:
    """Return a line for every purpose and channel that is asked for or permitted."""
    in_force = _in_force(facts)
    lines = _lines(facts, in_force)
    figures = [figure for one in lines for _x, figure in one.points if figure]
    most = max((figure.high or 0.0 for figure in figures), default=0.0)
    # From 0 up to a round top: small lines side by side compare heights, not only slopes.
    top = next((top for top in TOPS if top >= most), 100.0)
    axis = charts.Axis(0.0, top, (0.0, top / 2, top))
    return LinesPanel(
        title=_title(lines),
        deck=_deck(facts, axis),
        axis=axis,
        zone=_place(facts.selection.period.start, facts.drawn),
        lines=lines,
        periods=facts.stretches,
        every=_every(facts),
    )


def _every(facts: Facts) -> list[int]:
    size = together(facts.stretches)
    return list(range(len(facts.stretches) - 1, size - 2, -size)[::-1])


def _in_force(facts: Facts) -> Counter[Line]:
    found: Counter[Line] = Counter()
    for one in facts.standing:
        found[Line(one.purpose, one.channel)] += one.n
    return found


def _lines(facts: Facts, in_force: Counter[Line]) -> list[PurposeLine]:
    order = list(facts.purposes)
    keys = sorted(
        {*facts.asked_by_line, *in_force}, key=lambda one: (order.index(one.purpose), one.channel)
    )
    pairs = [_pair(facts, key) for key in keys]
    hidden = hidden_rows([now.n for _before, now in pairs])
    drawn = [replace(row, hidden=at in hidden) for at, row in enumerate(rates(OPT_IN, pairs))]
    several = Counter(key.purpose for key in keys)
    return [
        PurposeLine(
            line=key,
            key=facts.purposes[key.purpose].key,
            label=_label(facts, key, several[key.purpose] > 1),
            row=row,
            points=[] if row.hidden else _points(facts, key),
            in_force=None if is_small(in_force[key]) else in_force[key],
            of_customers=_of_customers(in_force[key], facts.reach.customers),
        )
        for key, row in zip(keys, drawn, strict=True)
    ]


def _of_customers(n: int, customers: int) -> float | None:
    return 100 * n / customers if customers >= MIN_VERDICT and not is_small(n) else None


def _label(facts: Facts, key: Line, several: bool) -> str:
    name = purpose_name(facts.purposes[key.purpose])
    return f"{name} · {channel_name(key.channel)}" if several else name


def _pair(facts: Facts, key: Line) -> tuple[Figure, Figure]:
    selection = facts.selection
    before, now = (
        totals(_of(facts, key, period)) for period in (selection.compared, selection.period)
    )
    return share(OPT_IN, before[1], before[0]), share(OPT_IN, now[1], now[0])


def _of(facts: Facts, key: Line, period: Period) -> list[Asked]:
    rows = facts.asked_by_line.get(key, [])
    return [one for one in rows if period.start <= one.on < period.end]


def _points(facts: Facts, key: Line) -> list[tuple[float, Figure | None]]:
    """Place each stretch together with those before it; fewer than 5 are not drawn."""
    parts, size = facts.stretches, together(facts.stretches)
    # The first points need the weeks before them; months have none, so that they start later.
    lead = (
        [] if in_months(parts) else weeks_back(parts[0].start - (size - 1) * WEEK, parts[0].start)
    )
    every = [*lead, *parts]
    counts = [[0, 0] for _ in every]
    starts = [part.start for part in every]
    for row in facts.asked_by_line.get(key, []):
        at = place_in(starts, row.on)
        counts[at][0] += row.shown
        counts[at][1] += row.ticked
    points: list[tuple[float, Figure | None]] = []
    for at, part in enumerate(parts):
        end = at + len(lead) + 1
        window = counts[max(0, end - size) : end] if end >= size else []
        figure = share(OPT_IN, sum(one[1] for one in window), sum(one[0] for one in window))
        middle = part.start + (part.end - part.start) / 2
        points.append((_place(middle, facts.drawn), figure if figure.n >= MIN_SHOWN else None))
    return points


def _place(on: date, drawn: Period) -> float:
    return (on - drawn.start) / (drawn.end - drawn.start)


def _title(lines: Sequence[PurposeLine]) -> str:
    up = [one.label for one in lines if one.row.shown and one.row.went_up]
    down = [one.label for one in lines if one.row.shown and one.row.went_down]
    if up and down:
        return _("More say yes to %(up)s, fewer to %(down)s. Neither is chance.") % {
            "up": joined(up),
            "down": joined(down),
        }
    if up:
        return _("More say yes to %(purposes)s, and not by chance") % {"purposes": joined(up)}
    if down:
        return _("Fewer say yes to %(purposes)s, and not by chance") % {"purposes": joined(down)}
    return _("Opt-in rate per purpose")


def _deck(facts: Facts, axis: charts.Axis) -> str:
    words = {
        "days": days(facts.drawn),
        "low": percent(number(0)),
        "high": percent(number(axis.high)),
    }
    if together(facts.stretches) == 3:
        return (
            _(
                "Share of the times asked that the box was ticked, three months together, "
                "%(days)s, %(low)s to %(high)s. Band: its interval (95 %%)."
            )
            % words
        )
    return (
        _(
            "Share of the times asked that the box was ticked, four weeks together, "
            "%(days)s, %(low)s to %(high)s. Band: its interval (95 %%)."
        )
        % words
    )
