"""Reading KPIs: counts from feedback, figures from kpis.py, one row per period and slice."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from feedback import queries as feedback
from feedback.models import Response
from insights.kpis import KPIS, Change, Figure, Kpi, Verdict, change, figure, verdicts
from insights.models import Annotation, ImportJob, JobRun, KpiSnapshot
from insights.periods import COMPARISONS, Period, split


@dataclass(frozen=True)
class FrozenNote:
    """What a period said when it was closed, where later answers have changed it since."""

    figure: Figure
    corrected_at: datetime


@dataclass(frozen=True)
class KpiRow:
    """One line of a KPI document or a dashboard table.

    `slice` is the public key of the slice and `key` the internal one, "" for answers without
    one, None without slicing; `before`, `change` and `verdict` are None unless a comparison was
    asked for.
    """

    period: Period
    slice: str | None
    label: str
    figure: Figure
    before: Figure | None = None
    change: Change | None = None
    verdict: Verdict | None = None
    frozen: FrozenNote | None = None
    key: str | None = None


# More stretches of time than these are counted day by day.
MOST_CUTS = 80

# Counts by outcome of a period and an internal slice key (None without slicing).
Cells = dict[tuple[Period, str | None], dict[str, int]]


class UnknownSlice(ValueError):
    """A dimension that answers cannot be sliced by."""

    def __init__(self, dimension: str) -> None:
        super().__init__(
            f"{dimension!r} is not something to slice by. Use one of: {', '.join(feedback.SLICES)}."
        )


def kpi_rows(  # noqa: PLR0913  (one argument per choice a reader has)
    kpi_key: str,
    start: date,
    end: date,
    *,
    by: str | None = None,
    dimension: str | None = None,
    where: Mapping[str, str] | None = None,
    compare: str | None = None,
) -> list[KpiRow]:
    """Return a KPI over the half-open local days [start, end), per period and slice.

    `where` holds public keys per dimension. With `compare` ("previous": the equal period just
    before, "year": the same one a year before) each row carries that period, the change, and a
    verdict corrected for the number of rows (Holm). Slices stand in the order of their answers,
    most first; periods in the order of time.
    """
    kpi = KPIS[kpi_key]
    inner = _internal(dimension, where or {})
    periods = split(start, end, by) if by else [Period(start, end)]
    before = {period: COMPARISONS[compare](period) for period in periods} if compare else {}
    cells = _cells(kpi, [*periods, *before.values()], inner, dimension)
    keys = _slices(cells, periods, dimension)
    names = feedback.labels(dimension, [key for key in keys if key]) if dimension else {}
    notes = _frozen_notes(kpi, periods, dimension, inner)
    figures = [
        (period, key, _figure(kpi, cells, period, key)) for period in periods for key in keys
    ]
    moves = _moves(kpi, cells, figures, before) if before else [(None, None, None)] * len(figures)
    return [
        KpiRow(
            period=period,
            slice=None if key is None else names[key].key,
            label="" if key is None else names[key].name,
            figure=now,
            before=earlier,
            change=moved,
            verdict=verdict,
            frozen=notes.get((period, key)),
            key=key,
        )
        for (period, key, now), (earlier, moved, verdict) in zip(figures, moves, strict=True)
    ]


def lines(
    kpi_key: str,
    start: date,
    end: date,
    *,
    by: str,
    dimension: str,
    where: Mapping[str, str],
) -> tuple[list[Period], dict[str, list[dict[str, int]]]]:
    """Return the periods from `start` up to `end`, and counts by outcome in each of them.

    The counts stand per internal key of the dimension, for the keys with any.
    """
    kpi = KPIS[kpi_key]
    periods = split(start, end, by)
    cells = _cells(kpi, periods, _internal(dimension, where), dimension)
    none = kpi.counts_from_values({})
    keys = dict.fromkeys(key or "" for _period, key in cells)
    return periods, {key: [cells.get((period, key), none) for period in periods] for key in keys}


def _internal(dimension: str | None, where: Mapping[str, str]) -> dict[str, str]:
    for name in [*where, *([dimension] if dimension else [])]:
        if name not in feedback.SLICES:
            raise UnknownSlice(name)
    return {name: feedback.internal_key(name, key) for name, key in where.items()}


def _cells(
    kpi: Kpi, periods: Sequence[Period], inner: Mapping[str, str], dimension: str | None
) -> Cells:
    """Count every period from one read; periods may overlap."""
    whole = Period(min(p.start for p in periods), max(p.end for p in periods))
    cuts = sorted({day for period in periods for day in (period.start, period.end)})[:-1]
    # A database is slow at telling very many stretches apart, and days are there already.
    by_day = len(cuts) > MOST_CUTS
    span = feedback.Span(kpi.measure, whole.start, whole.end, inner)
    rows = feedback.counts(span, dimension=dimension, by_day=by_day, cuts=() if by_day else cuts)
    homes = _homes(periods, cuts, by_day=by_day)
    sums: dict[tuple[Period, str | None], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        assert row.day is not None  # noqa: S101  (asked for by day or cut)
        for period in homes.get(row.day, ()):
            sums[period, row.key][row.value] += row.n
    return {place: kpi.counts_from_values(values) for place, values in sums.items()}


def _homes(
    periods: Iterable[Period], cuts: Sequence[date], *, by_day: bool
) -> dict[date, list[Period]]:
    """Return in which periods each counted stretch of days lies, by its first day."""
    homes: dict[date, list[Period]] = defaultdict(list)
    for period in dict.fromkeys(periods):
        if by_day:
            days = (period.end - period.start).days
            starts = [period.start + timedelta(days=offset) for offset in range(days)]
        else:
            starts = [cut for cut in cuts if period.start <= cut < period.end]
        for start in starts:
            homes[start].append(period)
    return homes


def _slices(cells: Cells, periods: Collection[Period], dimension: str | None) -> list[str | None]:
    """Return the slices with the most answers in these periods first, also those without any.

    The whole is one slice without a key.
    """
    if dimension is None:
        return [None]
    totals: dict[str, int] = defaultdict(int)
    for (period, key), counts in cells.items():
        totals[key or ""] += sum(counts.values()) if period in periods else 0
    return [*sorted(totals, key=lambda key: (-totals[key], key))]


def _figure(kpi: Kpi, cells: Cells, period: Period, key: str | None) -> Figure:
    return figure(kpi, cells.get((period, key), {}))


def _moves(
    kpi: Kpi,
    cells: Cells,
    figures: Iterable[tuple[Period, str | None, Figure]],
    before: Mapping[Period, Period],
) -> list[tuple[Figure, Change | None, Verdict]]:
    pairs = [(_figure(kpi, cells, before[period], key), now) for period, key, now in figures]
    rows = [(before, now, change(kpi, before, now)) for before, now in pairs]
    return [
        (before, moved, verdict)
        for (before, _, moved), verdict in zip(rows, verdicts(rows), strict=True)
    ]


def _frozen_notes(
    kpi: Kpi, periods: Sequence[Period], dimension: str | None, inner: Mapping[str, str]
) -> dict[tuple[Period, str | None], FrozenNote]:
    """Find the corrections of closed periods; only single dimensions are kept per period."""
    if len({*inner, *([dimension] if dimension else [])}) > 1:
        return {}
    where, key = next(iter(inner.items()), ("", ""))
    rows = KpiSnapshot.objects.filter(
        kpi=kpi.key,
        dimension=dimension or where,
        start_on__gte=periods[0].start,
        end_on__lte=periods[-1].end,
        corrected_at__isnull=False,
    )
    if inner or not dimension:
        rows = rows.filter(key=key)
    wanted = set(periods)
    return {
        (Period(row.start_on, row.end_on), row.key if dimension else None): FrozenNote(
            figure(kpi, row.counts), row.corrected_at
        )
        for row in rows
        if row.corrected_at and Period(row.start_on, row.end_on) in wanted
    }


# -- What people say with their answer ------------------------------------------------------------


def reasons(
    kpi_key: str, period: Period, dimension: str, where: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Return {internal key of a slice: {reason: answers}} of the answers that a KPI counts."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in feedback.reason_counts(_span(kpi_key, period, where), dimension):
        found[row.key][row.reason] = row.n
    return dict(found)


def comments(
    kpi_key: str, period: Period, where: Mapping[str, str], said: str = ""
) -> QuerySet[Response]:
    """Return the answers with a comment among those that a KPI counts, newest first.

    `said` leaves only the "happy" or the "unhappy" ones.
    """
    return _of_mood(feedback.comments(_span(kpi_key, period, where)), kpi_key, said)


def explained(
    kpi_key: str, period: Period, where: Mapping[str, str], said: str = ""
) -> QuerySet[Response]:
    """Return the answers with a comment or a reason among those that a KPI counts."""
    return _of_mood(feedback.explained(_span(kpi_key, period, where)), kpi_key, said)


def _of_mood(answers: QuerySet[Response], kpi_key: str, said: str) -> QuerySet[Response]:
    if not said:
        return answers
    bands = KPIS[kpi_key].scale.bands
    band = bands[0] if said == "happy" else bands[-1]
    return answers.filter(value__gte=band.lowest, value__lte=band.highest)


def _span(kpi_key: str, period: Period, where: Mapping[str, str]) -> feedback.Span:
    return feedback.Span(KPIS[kpi_key].measure, period.start, period.end, _internal(None, where))


def score_counts(kpi_key: str, period: Period, where: Mapping[str, str]) -> dict[int, int]:
    """Return how often each score was given among the answers that a KPI counts."""
    return {row.value: row.n for row in feedback.counts(_span(kpi_key, period, where))}


def annotations(start: date, end: date) -> list[Annotation]:
    """Return what happened on the half-open days [start, end), the first first."""
    return list(Annotation.objects.filter(on__gte=start, on__lt=end))


def version() -> tuple[object, ...]:
    """Return what changes whenever an answer, a comment or an annotation does, in two queries."""
    return (*feedback.version(), *Annotation.objects.values_list("on", "text"))


# -- What pages need beside the figures ---------------------------------------------------------


def counted_at() -> datetime | None:
    """Return when answers were last folded into the tallies."""
    return feedback.folded_at()


def first_day() -> date | None:
    """Return the first local day with any answer or invitation."""
    days = [feedback.first_day(kpi.measure) for kpi in KPIS.values()]
    return min((day for day in days if day), default=None)


def last_day(kpi_key: str) -> date | None:
    """Return the last local day with an answer that this KPI counts."""
    return feedback.last_day(KPIS[kpi_key].measure)


def measured_kpis() -> list[str]:
    """Return the KPIs that there were ever answers for, in the order they are declared."""
    found = feedback.measured(kpi.measure for kpi in KPIS.values())
    return [key for key, kpi in KPIS.items() if kpi.measure in found]


# A select with more entries than this is no help; a product is then typed in.
MAX_CHOICES = 200


def filter_choices() -> dict[str, list[tuple[str, str]]]:
    """Return per dimension the (public key, name) pairs that can be chosen."""
    choices = {}
    for dimension in feedback.SLICES:
        names = feedback.labels(dimension, feedback.known_keys(dimension, MAX_CHOICES))
        pairs = [(label.key, label.name) for key, label in names.items() if key]
        choices[dimension] = sorted(pairs, key=lambda pair: pair[1].casefold())
    return choices


@dataclass(frozen=True)
class JobOverview:
    """What the jobs page shows."""

    runs: list[JobRun]
    waiting_changes: int
    waiting_imports: int


def job_overview() -> JobOverview:
    """Return when each job last ran, how long it took, and what is waiting."""
    return JobOverview(
        runs=list(JobRun.objects.order_by("name")),
        waiting_changes=feedback.waiting_changes(),
        waiting_imports=ImportJob.objects.filter(
            status__in=[ImportJob.Status.QUEUED, ImportJob.Status.RUNNING]
        ).count(),
    )


# -- The KPI document ------------------------------------------------------------------


def kpi_document(  # noqa: PLR0913  (one argument per option of the command)
    kpi_key: str,
    *,
    start: date | None,
    end: date | None,
    today: date,
    by: str | None = None,
    dimension: str | None = None,
    where: Mapping[str, str] | None = None,
    compare: str | None = None,
) -> dict[str, object]:
    """Return the KPI as one JSON-ready document; a range left open runs from the first answer
    to the end of today. With no answer before its end it is one day, and empty."""
    kpi = KPIS[kpi_key]
    end = end or today + timedelta(days=1)
    last = end - timedelta(days=1)
    start = start or min(feedback.first_day(kpi.measure) or last, last)
    rows = kpi_rows(kpi_key, start, end, by=by, dimension=dimension, where=where, compare=compare)
    return {
        "kpi": kpi.key,
        "definition": kpi.definition,
        "time_zone": settings.TIME_ZONE,
        "rows": [_document_row(row, compare=compare is not None) for row in rows],
    }


def _document_row(row: KpiRow, *, compare: bool) -> dict[str, object]:
    document: dict[str, object] = {
        "start": row.period.start.isoformat(),
        "end": row.period.end.isoformat(),
        "slice": row.slice,
        "n": row.figure.n,
        "value": row.figure.value,
        "low": row.figure.low,
        "high": row.figure.high,
        "counts": dict(row.figure.counts),
    }
    if compare:
        moved = row.change
        document |= {
            "change": moved.change if moved else None,
            "change_low": moved.low if moved else None,
            "change_high": moved.high if moved else None,
            "p": moved.p if moved else None,
            "verdict": str(row.verdict) if row.verdict else None,
        }
    return document
