"""The form of the next dose policy: the matrix and what stands around it.

What the form does not show stays as it is. An empty number is no limit, 0 is never.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.dose_documents import Document, PolicyRefused, document_of
from customers.dose_policy import Ceiling, Cell, Limit, Policy
from customers.models import Channel, ContactKind, CustomerType, Involvement
from customers.quiet_hours import Range
from customers.starting_policy import ASKING, QUESTIONS, TOUCHES
from customers.wall_clocks import countries_with_holidays
from insights.policy_page import LEVELS, TYPES

DAY = timedelta(days=1)
MONTH = 30 * DAY
WINDOWS = (("month", MONTH), ("week", 7 * DAY), ("day", DAY))
QUIET_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PHONE)
MOST = 1_000
MOST_DAYS = 365
MIDNIGHT = 24 * 60


class PolicyForm(forms.Form):
    """The numbers of a policy. `policy` is the one that is changed."""

    country = forms.ChoiceField(label=_("Holidays of"), required=False)
    note = forms.CharField(
        label=_("What changes, and why"), max_length=300, required=False, widget=forms.Textarea
    )

    def __init__(self, *args: Any, policy: Policy, note: str = "", **given: Any) -> None:
        super().__init__(*args, **given)
        self.policy = policy
        self.refused: list[str] = []
        country = self.fields["country"]
        if isinstance(country, forms.ChoiceField):
            known = [(one, one) for one in countries_with_holidays()]
            country.choices = [("", _("None: no holidays")), *known]
        self.fields["note"].widget.attrs["rows"] = 3
        self.initial.update(country=policy.country, note=note)
        for name, label, value in self._numbers():
            most = MOST_DAYS if "days" in name else MOST
            least = 1 if "days" in name else 0
            self.fields[name] = forms.IntegerField(
                label=label, required=False, min_value=least, max_value=most
            )
            self.initial[name] = value
        for channel in QUIET_CHANNELS:
            self._add_quiet(channel)

    # -- What the policy says now ------------------------------------------------------------------

    def _numbers(self) -> Iterator[tuple[str, Any, int | None]]:
        for level, customer_type in _pairs():
            cell = self._cell(level, customer_type, Channel.EMAIL, ContactKind.PROMOTION)
            label = f"{customer_type.label}, {level.label}"
            yield f"offers_{level}_{customer_type}", label, _most(cell, MONTH)
        for customer_type in TYPES:
            ceiling = self._ceiling(customer_type, TOUCHES)
            for name, window in WINDOWS:
                yield f"{name}_{customer_type}", customer_type.label, _most(ceiling, window)
        for level in LEVELS:
            gap = self._cell(level, "", "", ContactKind.ASK_THUMB)
            yield f"thumb_days_{level}", level.label, _days(gap)
        for customer_type in TYPES:
            cell = self._cell(Involvement.HIGH, customer_type, "", ContactKind.ASK_NPS)
            yield f"nps_days_{customer_type}", customer_type.label, _window_days(cell)
        questions = self._ceiling("", QUESTIONS)
        yield "question_days", _("Days between two questions"), _days(questions)
        asking = self._ceiling("", ASKING)
        yield "asking_points", _("Points of asking in 30 days"), _most(asking, MONTH, "points")

    def _cell(self, *key: str) -> Cell | None:
        wanted = tuple(str(one) for one in key)
        return next((one for one in self.policy.cells if one.key == wanted), None)

    def _ceiling(self, customer_type: str, kinds: frozenset[str]) -> Ceiling | None:
        mine = (one for one in self.policy.ceilings if one.customer_type == str(customer_type))
        return next((one for one in mine if one.kinds == kinds and not one.channel), None)

    def _add_quiet(self, channel: Channel) -> None:
        """Add the hours of a channel; ranges of another shape are shown elsewhere and kept."""
        ranges = self.policy.quiet.get(channel, ())
        shape = _shape(ranges)
        if shape is None:
            return
        start, end, weekends = shape
        names = (f"quiet_from_{channel}", f"quiet_until_{channel}", f"quiet_weekends_{channel}")
        self.fields[names[0]] = forms.TimeField(
            label=_("Quiet from"), required=False, widget=_clock_widget()
        )
        self.fields[names[1]] = forms.TimeField(
            label=_("until"), required=False, widget=_clock_widget()
        )
        self.fields[names[2]] = forms.BooleanField(label=_("All weekend"), required=False)
        self.initial.update(zip(names, (start, end, weekends), strict=True))

    # -- For the page ------------------------------------------------------------------------------

    def rows(self) -> list[tuple[Any, list[forms.BoundField], list[forms.BoundField]]]:
        """Return the matrix: for each customer type the offers per level, then the ceilings."""
        return [
            (
                one.label,
                [self[f"offers_{level}_{one}"] for level in LEVELS],
                [self[f"{name}_{one}"] for name, _window in WINDOWS],
            )
            for one in TYPES
        ]

    def thumbs(self) -> list[forms.BoundField]:
        return [self[f"thumb_days_{level}"] for level in LEVELS]

    def scores(self) -> list[forms.BoundField]:
        return [self[f"nps_days_{one}"] for one in TYPES]

    def quiet(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Return the channels whose quiet hours can be changed here."""
        parts = ("from", "until", "weekends")
        return [
            (one.label, [self[f"quiet_{part}_{one}"] for part in parts])
            for one in QUIET_CHANNELS
            if f"quiet_from_{one}" in self.fields
        ]

    # -- What is asked for -------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for channel in QUIET_CHANNELS:
            start, end = (given.get(f"quiet_{one}_{channel}") for one in ("from", "until"))
            if (start is None) != (end is None):
                missing = "until" if end is None else "from"
                text = _("Give both times, or neither for no quiet hours.")
                self.add_error(f"quiet_{missing}_{channel}", text)
            elif start is not None and start == end:
                text = _("It would be quiet for a whole day, or never. Give two different times.")
                self.add_error(f"quiet_until_{channel}", text)
        return given

    def document(self) -> Document:
        """Return the document of the next policy, once the form is valid."""
        given = self.cleaned_data
        policy = replace(
            self.policy,
            cells=self._cells(given),
            ceilings=self._ceilings(given),
            quiet=self._quiet(given),
            country=given["country"],
        )
        return document_of(policy)

    def refuse(self, error: PolicyRefused) -> None:
        """Show what is wrong with the whole of it."""
        self.refused = error.problems
        self.add_error(None, _("This policy is not sound yet; see below."))

    def _cells(self, given: Mapping[str, Any]) -> list[Cell]:
        wanted: dict[tuple[str, ...], Cell] = {one.key: one for one in self.policy.cells}
        for level, customer_type in _pairs():
            key = (level.value, customer_type.value, Channel.EMAIL.value, "promotion")
            cell = wanted.get(key, Cell(*key))
            most = given[f"offers_{level}_{customer_type}"]
            wanted[key] = replace(cell, limits=_with(cell.limits, MONTH, most))
        for level in LEVELS:
            key = (level.value, "", "", "ask_thumb")
            cell = wanted.get(key, Cell(*key))
            wanted[key] = replace(cell, gap=_gap(given[f"thumb_days_{level}"]))
        for level in (Involvement.MEDIUM, Involvement.HIGH):
            for customer_type in TYPES:
                key = (level.value, customer_type.value, "", "ask_nps")
                days = given[f"nps_days_{customer_type}"]
                cell = wanted.get(key, Cell(*key, per="all"))
                wanted[key] = replace(cell, limits=[Limit(1, days * DAY)] if days else [])
        return list(wanted.values())

    def _ceilings(self, given: Mapping[str, Any]) -> list[Ceiling]:
        wanted: dict[tuple[str, ...], Ceiling] = {one.key: one for one in self.policy.ceilings}
        for customer_type in TYPES:
            ceiling = self._ceiling(customer_type, TOUCHES) or Ceiling(customer_type, "", TOUCHES)
            limits = ceiling.limits
            for name, window in WINDOWS:
                limits = _with(limits, window, given[f"{name}_{customer_type}"])
            wanted[ceiling.key] = replace(ceiling, limits=limits)
        questions = self._ceiling("", QUESTIONS) or Ceiling(kinds=QUESTIONS)
        wanted[questions.key] = replace(questions, gap=_gap(given["question_days"]))
        asking = self._ceiling("", ASKING) or Ceiling(kinds=ASKING)
        points = _with(asking.limits, MONTH, given["asking_points"], "points")
        wanted[asking.key] = replace(asking, limits=points)
        return [one for one in wanted.values() if one.limits or one.gap]

    def _quiet(self, given: Mapping[str, Any]) -> dict[str, Sequence[Range]]:
        quiet = dict(self.policy.quiet)
        for channel in QUIET_CHANNELS:
            if f"quiet_from_{channel}" in self.fields:
                ranges = _ranges(
                    given[f"quiet_from_{channel}"],
                    given[f"quiet_until_{channel}"],
                    given[f"quiet_weekends_{channel}"],
                )
                quiet[channel.value] = ranges
        return quiet


def _clock_widget() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


def _pairs() -> Iterator[tuple[Involvement, CustomerType]]:
    for customer_type in TYPES:
        for level in LEVELS:
            yield level, customer_type


def _most(rule: Cell | Ceiling | None, window: timedelta, unit: str = "count") -> int | None:
    limits = rule.limits if rule else ()
    return next((one.most for one in limits if (one.window, one.unit) == (window, unit)), None)


def _days(rule: Cell | Ceiling | None) -> int | None:
    return rule.gap.days if rule and rule.gap else None


def _window_days(cell: Cell | None) -> int | None:
    """Return in how many days one is allowed."""
    limits = cell.limits if cell else ()
    return next((one.window.days for one in limits if one.most == 1), None)


def _with(
    limits: Sequence[Limit], window: timedelta, most: int | None, unit: str = "count"
) -> list[Limit]:
    """Return the limits with another number for a window; None takes it away."""
    others = [one for one in limits if (one.window, one.unit) != (window, unit)]
    return others if most is None else [*others, Limit(most, window, unit)]


def _gap(days: int | None) -> timedelta | None:
    return days * DAY if days else None


# -- Quiet hours as a night, and perhaps all weekend -----------------------------------------------


def _ranges(start: time | None, end: time | None, weekends: bool) -> list[Range]:
    """Return the ranges of a night on each day, and with `weekends` from Friday night on."""
    if start is None or end is None:
        return [Range(5, 0, MIDNIGHT), Range(6, 0, MIDNIGHT)] if weekends else []
    first, last = (one.hour * 60 + one.minute for one in (start, end))
    if not weekends:
        later = last if last > first else last + MIDNIGHT
        return [Range(day, first, later) for day in range(7)]
    weekend = [Range(5, 0, MIDNIGHT), Range(6, 0, MIDNIGHT)]
    if last > first:
        return [*(Range(day, first, last) for day in range(5)), *weekend]
    nights = [Range(day, first, last + MIDNIGHT) for day in range(4)]
    morning = [Range(0, 0, last)] if last else []
    return [*nights, Range(4, first, MIDNIGHT), *weekend, *morning]


def _shape(ranges: Sequence[Range]) -> tuple[time | None, time | None, bool] | None:
    """Return the night and whether weekends are quiet; None for ranges of another shape."""
    if not ranges:
        return None, None, False
    wanted = sorted(ranges)
    for weekends in (False, True):
        monday = next((one for one in wanted if one.weekday == 0 and one.start), None)
        start = _time(monday.start) if monday else None
        end = _time(monday.end % MIDNIGHT) if monday else None
        if sorted(_ranges(start, end, weekends)) == wanted:
            return start, end, weekends
    return None


def _time(minute: int) -> time:
    return time(minute // 60, minute % 60)
