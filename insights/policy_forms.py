"""The form of the next dose policy: the matrix and what stands around it.

An empty number is no limit, 0 is never. Only what somebody changes is written: what the form does
not show, or cannot show as one number, stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.dose_documents import Document, PolicyRefused, document_of
from customers.dose_policy import CHANNELS, STANDS_FOR, Asked, Ceiling, Cell, Limit, Policy
from customers.models import Channel, ContactKind, CustomerType, Involvement
from customers.nights import night_of, ranges_of_night
from customers.quiet_hours import Range
from customers.starting_policy import ASKING, QUESTIONS, TOUCHES
from customers.wall_clocks import countries_with_holidays
from insights.policy_page import LEVELS, TYPES

DAY = timedelta(days=1)
MONTH = 30 * DAY
# What a number of days means where there was no limit yet.
ONCE = Limit(1, DAY)
WINDOWS = (("month", MONTH), ("week", 7 * DAY), ("day", DAY))
SCORED = (Involvement.MEDIUM, Involvement.HIGH)
QUIET_PARTS = ("from", "until", "weekends")
QUIET_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PHONE)
MOST = 1_000
MOST_DAYS = 365
NUMBER_ERRORS = {
    "invalid": _("That is not a whole number. Write digits, such as 4; empty is no limit."),
    "min_value": _("%(show_value)s is too low. Give %(limit_value)s or more; empty is no limit."),
    "max_value": _("%(show_value)s is too high. Give %(limit_value)s or less; empty is no limit."),
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the form: what it says now, and the least it may be."""

    name: str
    label: Any
    value: int | None
    least: int = 0
    most: int = MOST


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
        for one in self._numbers():
            self.fields[one.name] = forms.IntegerField(
                label=one.label,
                required=False,
                min_value=one.least,
                # What is there already can be sent as it is.
                max_value=max(one.most, one.value or 0),
                error_messages=NUMBER_ERRORS,
            )
            self.initial[one.name] = one.value
        for channel in QUIET_CHANNELS:
            self._add_quiet(channel)

    # -- What the policy says now ------------------------------------------------------------------

    def _numbers(self) -> Iterator[Number]:
        for level, customer_type in _pairs():
            label = f"{customer_type.label}, {level.label}"
            value = _most(self._offers(level, customer_type), MONTH)
            yield Number(f"offers_{level}_{customer_type}", label, value)
        for customer_type in TYPES:
            ceiling = self._ceiling(customer_type, TOUCHES)
            for name, window in WINDOWS:
                value = _most(ceiling, window)
                yield Number(f"{name}_{customer_type}", customer_type.label, value)
        yield from self._days_between()
        asking = self._ceiling("", ASKING)
        points = _most(asking, MONTH, "points")
        yield Number("asking_points", _("Points of asking in 30 days"), points)

    def _days_between(self) -> Iterator[Number]:
        """Yield the numbers of days; what is not a number of whole days is left out."""
        for level in LEVELS:
            cell = self._held([level], TYPES, ContactKind.ASK_THUMB)
            if cell and _is_days(cell.gap):
                yield _number_of_days(f"thumb_days_{level}", level.label, cell.gap)
        for customer_type in TYPES:
            cell = self._score(customer_type)
            if cell and _is_one(cell.limits):
                window = cell.limits[0].window if cell.limits else None
                yield _number_of_days(f"nps_days_{customer_type}", customer_type.label, window)
        for level in LEVELS:
            cell = self._survey(level)
            if cell and len(cell.limits) <= 1 and all(_is_days(one.window) for one in cell.limits):
                label = _survey_label(level, cell.limits[0] if cell.limits else ONCE)
                window = cell.limits[0].window if cell.limits else None
                yield _number_of_days(f"survey_days_{level}", label, window)
        questions = self._ceiling("", QUESTIONS)
        gap = questions.gap if questions else None
        if _is_days(gap):
            yield _number_of_days("question_days", _("Days between two questions"), gap)

    def _held(
        self, levels: Sequence[str], types: Sequence[str], kind: str, channels: Sequence[str] = ()
    ) -> Cell | None:
        """Return what holds for all of these; None if they do not all have the same.

        Whom nothing of their own is said of follows another type: they are looked at with it.
        """
        also = [one for one, other in STANDS_FOR.items() if other in types]
        found: list[Cell] = []
        for level in levels:
            for customer_type in (*types, *also):
                for channel in channels or CHANNELS:
                    asked = Asked(str(level), str(customer_type), str(channel), str(kind))
                    held = self.policy.cell_for(asked)
                    if held is None:
                        return None
                    if not any(_is_alike(held, one) for one in found):
                        found.append(held)
        return found[0] if len(found) == 1 else None

    def _offers(self, level: str, customer_type: str) -> Cell | None:
        asked = Asked(str(level), str(customer_type), Channel.EMAIL.value, "promotion")
        return self.policy.cell_for(asked)

    def _score(self, customer_type: str) -> Cell | None:
        return self._held(SCORED, [customer_type], ContactKind.ASK_NPS)

    def _survey(self, level: str) -> Cell | None:
        cell = self._held([level], TYPES, ContactKind.ASK_SURVEY)
        # A level that is never asked has no days to count.
        return cell if cell and all(one.most for one in cell.limits) else None

    def _ceiling(self, customer_type: str, kinds: frozenset[str]) -> Ceiling | None:
        mine = (one for one in self.policy.ceilings if one.customer_type == str(customer_type))
        return next((one for one in mine if one.kinds == kinds and not one.channel), None)

    def _add_quiet(self, channel: Channel) -> None:
        """Add the hours of a channel; ranges of another shape are shown elsewhere and kept."""
        ranges = self.policy.quiet.get(channel, ())
        shape = night_of(ranges)
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
        return self._shown(f"thumb_days_{level}" for level in LEVELS)

    def scores(self) -> list[forms.BoundField]:
        return self._shown(f"nps_days_{one}" for one in TYPES)

    def surveys(self) -> list[forms.BoundField]:
        return self._shown(f"survey_days_{level}" for level in LEVELS)

    def asking(self) -> list[forms.BoundField]:
        return self._shown(["question_days", "asking_points"])

    def _shown(self, names: Iterable[str]) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]

    def quiet(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """Return the channels whose quiet hours can be changed here."""
        return [
            (one.label, [self[f"quiet_{part}_{one}"] for part in QUIET_PARTS])
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

    def _is_changed(self, *names: str) -> bool:
        """Say whether somebody gave one of these another value than it had."""
        had, given = self.initial, self.cleaned_data
        return any(name in given and given[name] != had.get(name) for name in names)

    def _cells(self, given: Mapping[str, Any]) -> list[Cell]:
        wanted: dict[tuple[str, ...], Cell] = {one.key: one for one in self.policy.cells}
        for level, customer_type in _pairs():
            if self._is_changed(name := f"offers_{level}_{customer_type}"):
                key = (level.value, customer_type.value, Channel.EMAIL.value, "promotion")
                cell = _as_cell(self._offers(level, customer_type), key)
                wanted[key] = replace(cell, limits=_with(cell.limits, MONTH, given[name]))
        for level in LEVELS:
            if self._is_changed(name := f"thumb_days_{level}"):
                key = (level.value, "", "", "ask_thumb")
                cell = _as_cell(self._held([level], TYPES, ContactKind.ASK_THUMB), key)
                wanted[key] = replace(cell, gap=_gap(given[name]))
            if self._is_changed(name := f"survey_days_{level}"):
                key = (level.value, "", "", "ask_survey")
                cell = _as_cell(self._survey(level), key)
                wanted[key] = replace(cell, limits=_in_days(cell.limits or [ONCE], given[name]))
        for customer_type in TYPES:
            if self._is_changed(name := f"nps_days_{customer_type}"):
                for level in SCORED:
                    key = (level.value, customer_type.value, "", "ask_nps")
                    cell = _as_cell(self._score(customer_type), key, per="all")
                    limits = _in_days(cell.limits or [ONCE], given[name])
                    wanted[key] = replace(cell, limits=limits)
        return list(wanted.values())

    def _ceilings(self, given: Mapping[str, Any]) -> list[Ceiling]:
        wanted: dict[tuple[str, ...], Ceiling] = {one.key: one for one in self.policy.ceilings}
        for customer_type in TYPES:
            ceiling = self._ceiling(customer_type, TOUCHES) or Ceiling(
                customer_type.value, "", TOUCHES
            )
            for name, window in WINDOWS:
                if self._is_changed(field := f"{name}_{customer_type}"):
                    limits = _with(ceiling.limits, window, given[field])
                    wanted[ceiling.key] = ceiling = replace(ceiling, limits=limits)
        if self._is_changed("question_days"):
            questions = self._ceiling("", QUESTIONS) or Ceiling(kinds=QUESTIONS)
            wanted[questions.key] = replace(questions, gap=_gap(given["question_days"]))
        if self._is_changed("asking_points"):
            asking = self._ceiling("", ASKING) or Ceiling(kinds=ASKING)
            points = _with(asking.limits, MONTH, given["asking_points"], "points")
            wanted[asking.key] = replace(asking, limits=points)
        return list(wanted.values())

    def _quiet(self, given: Mapping[str, Any]) -> dict[str, Sequence[Range]]:
        quiet = dict(self.policy.quiet)
        for channel in QUIET_CHANNELS:
            if self._is_changed(*(f"quiet_{part}_{channel}" for part in QUIET_PARTS)):
                ranges = ranges_of_night(
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


def _survey_label(level: Involvement, limit: Limit) -> str:
    values = {"level": level.label, "most": limit.most}
    if limit.unit == "points":
        return _("%(level)s: days in which at most %(most)s points are asked") % values
    return _("%(level)s: days in which at most %(most)s may be asked") % values


def _number_of_days(name: str, label: Any, length: timedelta | None) -> Number:
    return Number(name, label, length.days if length else None, 1, MOST_DAYS)


def _is_days(length: timedelta | None) -> bool:
    """Say whether a length of time is whole days, or none at all."""
    return not length or not length % DAY


def _is_one(limits: Sequence[Limit]) -> bool:
    """Say whether limits are none, or one contact in a number of whole days."""
    if not limits:
        return True
    return (
        len(limits) == 1 and limits[0] == Limit(1, limits[0].window) and _is_days(limits[0].window)
    )


def _is_alike(one: Cell, other: Cell) -> bool:
    """Say whether two cells limit the same, and count the same contacts."""
    return _limited(one) == _limited(other)


def _limited(cell: Cell) -> tuple[object, ...]:
    return tuple(cell.limits), cell.gap, cell.per, cell.channel, cell.kind


def _as_cell(cell: Cell | None, key: tuple[str, str, str, str], per: str = "category") -> Cell:
    """Return a cell for this key that limits what `cell` does, which may be a wider one."""
    if cell is None or not (cell.kind or cell.limits or cell.gap):
        cell = Cell(per=per)
    level, customer_type, channel, kind = key
    return replace(cell, involvement=level, customer_type=customer_type, channel=channel, kind=kind)


def _in_days(limits: Sequence[Limit], days: int | None) -> list[Limit]:
    """Return the limits for another number of days; None takes them away."""
    return [replace(one, window=days * DAY) for one in limits] if days else []


def _with(
    limits: Sequence[Limit], window: timedelta, most: int | None, unit: str = "count"
) -> list[Limit]:
    """Return the limits with another number for a window; None takes it away."""
    others = [one for one in limits if (one.window, one.unit) != (window, unit)]
    return others if most is None else [*others, Limit(most, window, unit)]


def _gap(days: int | None) -> timedelta | None:
    return days * DAY if days else None
