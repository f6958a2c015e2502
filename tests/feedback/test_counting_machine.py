"""The promise of counting, by random moves: after every one of them the counts are exact.

Answers, edits, erasures, folds, rebuilds and moves to other time zones, each of them also cut
off in the middle, where the database really rolls back.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from customers.models import Category, Channel, Customer, CustomerType, Product
from feedback import queries, tallies
from feedback.models import (
    CountingState,
    DayCube,
    Invitation,
    Reason,
    Response,
    ResponseChange,
    Tally,
    TouchedSlice,
    Touchpoint,
)
from feedback.scales import SCALES
from feedback.services import (
    KeyReused,
    add_responses,
    edit_response,
    erase_answers,
    record_invitations,
    submit_response,
    take_touched,
)
from tests.feedback.recount import (
    CUBE,
    check_counts,
    check_folded,
    folded_slices,
    kept_along_dimensions,
    raw_counts,
    touched_slices,
)
from tests.makers import (
    NOW,
    an_answer,
    make_category,
    make_customer,
    make_product,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

ZONES = ("Europe/Amsterdam", "America/St_Johns", "Asia/Kathmandu", "Pacific/Auckland")

# -- What is drawn ------------------------------------------------------------------------------

# Around both days that the clocks change in Amsterdam, so that many answers share a day.
moments = st.one_of(
    st.datetimes(datetime(2026, 3, 28, 20), datetime(2026, 3, 30, 2), timezones=st.just(UTC)),
    st.datetimes(datetime(2026, 10, 24, 20), datetime(2026, 10, 26, 2), timezones=st.just(UTC)),
)
votes = st.sampled_from([(key, value) for key, scale in SCALES.items() for value in scale.values])
picks = st.integers(0, 1_000)


def cut_within(statements: int) -> st.SearchStrategy[int | None]:
    """After how many statements the connection breaks: none at all, or any of the first ones."""
    return st.none() | st.integers(1, statements)


def one_of_few(size: int) -> st.SearchStrategy[int | None]:
    """The index of one of the first rows, or None."""
    return st.none() | st.integers(0, size - 1)


places = st.fixed_dictionaries(
    {
        "touchpoint": one_of_few(2),
        "product": one_of_few(2),
        "category": one_of_few(2),
        "customer": one_of_few(2),
        "channel": st.sampled_from(["", *Channel.values[:2]]),
        "customer_type": st.sampled_from(["", *CustomerType.values[:2]]),
    }
)
reasons = st.sampled_from(["", *Reason.values[:3]])
comments = st.sampled_from(["", "Fine.", "Not fine."])


class CutOff(Exception):
    """The connection to the database broke."""


@contextmanager
def cut_off_after(statements: int | None):
    """Let the database do so many statements; the one after them breaks off."""
    left = statements

    def execute(run, sql, parameters, many, context):
        nonlocal left
        if left is not None:
            left -= 1
            if left == -1:
                raise CutOff
        return run(sql, parameters, many, context)

    with connection.execute_wrapper(execute):
        yield


@dataclass(frozen=True)
class Expected:
    """What must be stored of an answer, apart from its local day."""

    scale: str
    value: int
    touchpoint_id: int | None
    product_id: int | None
    category_id: int | None
    channel: str
    customer_type: str
    customer_id: int | None
    reason: str
    comment: str
    invitation_id: int | None
    answered_at: datetime


FIELDS = tuple(Expected.__dataclass_fields__)

# -- The machine ---------------------------------------------------------------------------------


class Counting(RuleBasedStateMachine):
    """Does to the database what people, jobs and accidents do, and remembers what is promised."""

    def __init__(self) -> None:
        super().__init__()
        empty_the_database()
        self.zone = override_settings(TIME_ZONE=ZONES[0])
        self.zone.enable()
        CountingState.objects.create(time_zone=ZONES[0])
        self.categories = list(Category.objects.order_by("pk"))
        self.products = list(Product.objects.order_by("pk"))
        self.touchpoints = list(Touchpoint.objects.order_by("pk"))
        self.customers = list(Customer.objects.order_by("pk"))
        self.promised: dict[int, Expected] = {}
        # As they were sent, by the id they were stored under; an erased one has no key any more.
        self.sent = {}
        self.unanswered: list[int] = []
        self.reader: dict[tuple, dict[int, int]] = {}

    def teardown(self) -> None:
        try:
            tallies.follow_time_zone()
            tallies.fold_all()
            check_folded()
            self.days_are_those_of(settings.TIME_ZONE)
        finally:
            self.zone.disable()

    # -- Answers and invitations

    @initialize(
        given=st.lists(st.tuples(votes, places, moments, reasons), min_size=2, max_size=4),
        asked=st.lists(st.tuples(places, moments), min_size=1, max_size=2),
    )
    def begin_with_some(self, given, asked):
        self.submit_many(given, pick=None, cut=None)
        self.invite(asked, cut=None)

    @rule(
        vote=votes,
        place=places,
        at=moments,
        reason=reasons,
        pick=st.none() | picks,
        cut=cut_within(5),
    )
    def submit(self, vote, place, at, reason, pick, cut):
        answer = self.answer(vote, place, at, reason, pick)
        if (done := attempt(cut, lambda: submit_response(answer))) is not None:
            response, created = done
            assert created
            self.remember(answer, response)

    @rule(
        given=st.lists(st.tuples(votes, places, moments, reasons), min_size=1, max_size=4),
        pick=st.none() | picks,
        cut=cut_within(5),
    )
    def submit_many(self, given, pick, cut):
        answers = [self.answer(*one) for one in given]
        answers[0] = replace(answers[0], invitation=self.open_invitation(pick))
        stored = attempt(cut, lambda: add_responses(answers))
        for answer, response in zip(answers, stored or [], strict=stored is not None):
            self.remember(answer, response)

    @precondition(lambda self: self.sent)
    @rule(pick=picks)
    def submit_again(self, pick):
        pk = chosen(self.sent, pick)
        answer = self.sent[pk]
        response, created = submit_response(answer)
        assert (response.pk, created) == (pk, False)
        with pytest.raises(KeyReused):
            submit_response(replace(answer, comment=f"{answer.comment} And another thing."))

    @rule(given=st.lists(st.tuples(places, moments), min_size=1, max_size=3), cut=cut_within(4))
    def invite(self, given, cut):
        asked = [Invitation(**self.place(place), invited_at=at) for place, at in given]
        for invitation in attempt(cut, lambda: record_invitations(asked)) or []:
            self.unanswered.append(invitation.pk)

    @precondition(lambda self: self.promised)
    @rule(
        edits=st.lists(
            st.tuples(picks, picks, st.none() | reasons, st.none() | comments),
            min_size=1,
            max_size=3,
        ),
        cut=cut_within(4),
    )
    def edit(self, edits, cut):
        """Change one answer after the other; the last change may be cut off."""
        for edit in edits[:-1]:
            self.edit_one(*edit, cut=None)
        self.edit_one(*edits[-1], cut=cut)

    def edit_one(self, pick, value, reason, comment, cut):
        pk = chosen(self.promised, pick)
        known = self.promised[pk]
        changes = {
            "value": chosen(SCALES[known.scale].values, value),
            "reason": reason,
            "comment": comment,
        }
        if attempt(cut, lambda: edit_response(response_id=pk, **changes, now=NOW)):
            given = {name: change for name, change in changes.items() if change is not None}
            self.promised[pk] = replace(known, **given)

    @rule(pick=picks, cut=cut_within(4))
    def erase(self, pick, cut):
        customer = chosen(self.customers, pick)
        theirs = [pk for pk, known in self.promised.items() if known.customer_id == customer.pk]
        if (erased := attempt(cut, lambda: erase_answers(customer))) is None:
            return
        assert erased == len(theirs)
        for pk in theirs:
            self.promised[pk] = replace(self.promised[pk], customer_id=None, comment="")
            self.sent.pop(pk, None)

    @rule(pick=picks, label=st.sampled_from(CustomerType.values), category=one_of_few(2))
    def label_a_customer_and_move_a_product(self, pick, label, category):
        """The facts of yesterday stay as they were."""
        customer, product = chosen(self.customers, pick), chosen(self.products, pick)
        customer.customer_type = label
        customer.save()
        product.category = None if category is None else self.categories[category]
        product.save()

    # -- Jobs

    @rule(limit=st.integers(1, 7), cut=cut_within(12))
    def fold(self, limit, cut):
        waiting = ResponseChange.objects.count()
        folded = attempt(cut, lambda: tallies.fold(limit))
        assert folded in (None, min(limit, waiting))

    @rule(cut=cut_within(20))
    def fold_everything(self, cut):
        if attempt(cut, tallies.fold_all) is not None:
            check_folded()

    @rule(cut=cut_within(25))
    def rebuild(self, cut):
        if attempt(cut, tallies.rebuild) is not None:
            check_folded()
            assert set(DayCube.objects.values_list(*CUBE)) == set(raw_counts())

    @rule(zone=st.sampled_from(ZONES), cut=cut_within(40))
    def move_to_a_time_zone(self, zone, cut):
        before = settings.TIME_ZONE
        self.live_in(zone)
        if attempt(cut, tallies.follow_time_zone) is not None:
            self.days_are_those_of(zone)
        elif CountingState.objects.get().time_zone == before:
            # Cut off before anything came of it.
            self.live_in(before)

    @rule(limit=st.integers(1, 20), cut=cut_within(2))
    def read_what_was_touched(self, limit, cut):
        """Follow the folds as the keeper of KPIs does."""

        def follow():
            with transaction.atomic():
                taken = take_touched(limit)
                folded = folded_slices()
            return {touched: folded.get(touched, {}) for touched in taken}

        self.reader |= attempt(cut, follow) or {}

    # -- What must hold after every step

    @invariant()
    def every_promise_is_kept(self):
        folded = kept_along_dimensions()
        check_counts(folded)
        self.every_promised_answer_is_stored_and_no_other()
        self.who_follows_the_touched_slices_misses_nothing(folded_slices(folded))

    def every_promised_answer_is_stored_and_no_other(self):
        rows = Response.objects.values_list("pk", *FIELDS)
        assert {pk: Expected(*facts) for pk, *facts in rows} == self.promised

    def who_follows_the_touched_slices_misses_nothing(self, folded):
        touched = set(touched_slices())
        for each in folded.keys() | self.reader.keys():
            assert each in touched or folded.get(each, {}) == self.reader.get(each, {})

    @rule(
        measure=st.sampled_from(["nps", "thumb", "csat", "ces", "invited"]),
        dimension=st.none() | st.sampled_from(queries.SLICES),
        filters=st.sets(st.sampled_from(queries.SLICES), max_size=2),
        pick=picks,
        by_day=st.booleans(),
    )
    def ask(self, measure, dimension, filters, pick, by_day):
        """Read as pages do: any filters, by any dimension."""
        raw = Counter({key: n for key, n in raw_counts().items() if key[0] == measure})
        where = {name: chosen(self.keys_of(raw, name), pick) for name in filters}
        span = queries.Span(measure, date(2026, 1, 1), date(2027, 1, 1), where)
        found = queries.counts(span, dimension=dimension, by_day=by_day)

        expected = Counter()
        for key, n in raw.items():
            if all(self.key_of(key, name) == wanted for name, wanted in where.items()):
                day = key[1] if by_day else None
                own = self.key_of(key, dimension) if dimension else None
                expected[day, own, key[2]] += n
        assert sorted(found, key=repr) == sorted(
            ((*place, n) for place, n in expected.items()), key=repr
        )

    # -- Helpers

    def answer(self, vote, place, at, reason, pick=None):
        scale, value = vote
        return an_answer(
            scale=scale,
            value=value,
            answered_at=at,
            reason=reason,
            comment="As sent.",
            invitation=self.open_invitation(pick),
            **self.place(place),
        )

    def place(self, place):
        rows = {
            "touchpoint": self.touchpoints,
            "product": self.products,
            "category": self.categories,
            "customer": self.customers,
        }
        chosen_rows = {
            name: None if place[name] is None else each[place[name]] for name, each in rows.items()
        }
        return place | chosen_rows

    def open_invitation(self, pick):
        """Return an invitation without an answer, if there is one."""
        if pick is None or not self.unanswered:
            return None
        return Invitation.objects.get(pk=chosen(self.unanswered, pick))

    def remember(self, answer, response):
        category = answer.category
        if category is None and answer.product:
            category = answer.product.category
        label = answer.customer_type
        if not label and answer.customer:
            label = answer.customer.customer_type
        self.promised[response.pk] = Expected(
            scale=answer.scale,
            value=answer.value,
            touchpoint_id=answer.touchpoint and answer.touchpoint.pk,
            product_id=answer.product and answer.product.pk,
            category_id=category and category.pk,
            channel=answer.channel,
            customer_type=label,
            customer_id=answer.customer and answer.customer.pk,
            reason=answer.reason,
            comment=answer.comment,
            invitation_id=answer.invitation and answer.invitation.pk,
            answered_at=answer.answered_at,
        )
        self.sent[response.pk] = answer
        if answer.invitation:
            self.unanswered.remove(answer.invitation.pk)

    def live_in(self, zone):
        self.zone.disable()
        self.zone = override_settings(TIME_ZONE=zone)
        self.zone.enable()

    def days_are_those_of(self, zone):
        for model, at, on in (
            (Response, "answered_at", "answered_on"),
            (Invitation, "invited_at", "invited_on"),
        ):
            for moment, day in model.objects.values_list(at, on):
                assert day == moment.astimezone(ZoneInfo(zone)).date()

    def key_of(self, key, name):
        return str(key[CUBE.index(f"{name}_id" if f"{name}_id" in CUBE else name)] or "")

    def keys_of(self, raw, name):
        return sorted({self.key_of(key, name) for key in raw}) or [""]


def attempt(cut: int | None, action: Callable):
    """Return what an action returns, or None if it was cut off."""
    try:
        with cut_off_after(cut):
            return action()
    except CutOff:
        return None


def chosen(things, pick: int):
    things = list(things)
    return things[pick % len(things)]


def empty_the_database() -> None:
    """Forget the answers and the counts; the shop itself stays as it has become."""
    counted = [ResponseChange, DayCube, Tally, TouchedSlice, CountingState]
    for model in (Response, Invitation, *counted):
        model.objects.all().delete()


def test_counts_are_exact_after_every_step(monkeypatch):
    # Small, so that a handful of answers takes several batches.
    monkeypatch.setattr(tallies, "MOVE_BATCH", 3)
    monkeypatch.setattr(tallies, "ROWS_PER_INSERT", 2)
    make_product(category=make_category())
    make_product(category=make_category())
    for _ in range(2):
        make_touchpoint()
        make_customer()
    run_state_machine_as_test(
        Counting,
        settings=hypothesis_settings(
            max_examples=16,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
