"""Answers from pages: new ones, the same again, changes of mind, and what each leaves behind."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from feedback import collect, tallies
from feedback.collect import Edit, NewAnswer
from feedback.intake import (
    TooLate,
    UnknownAnswer,
    Visit,
    collect_answer,
    collect_edit,
    count_exposure,
    put_answer,
)
from feedback.models import Exposure, ExposureKind, Reason, Response, ResponseChange, ResponseEdit
from feedback.places import name_campaign
from feedback.services import KeyReused, erase_answers, submit_response
from tests.feedback.posts import an_answer_body, an_edit_body, new_key
from tests.feedback.recount import check_counts, check_folded
from tests.makers import (
    NOW,
    TODAY,
    an_answer,
    make_category,
    make_customer,
    make_product,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(hours=24)
MOMENT = timedelta(microseconds=1)


def read(fields: dict) -> NewAnswer | Edit:
    return collect.read(fields, scale="nps", reasons=frozenset(Reason.values))


def a_message(**given) -> NewAnswer:
    return read(an_answer_body(**given))


def an_edit(first: NewAnswer, **given) -> Edit:
    return read(an_edit_body({"key": first.key}, **given))


def take(touchpoint, message: NewAnswer, **given) -> tuple[Response, bool]:
    facts = {"now": NOW} | given
    return collect_answer(touchpoint=touchpoint, message=message, **facts)


def change(touchpoint, edit: Edit, now=NOW) -> tuple[Response, bool]:
    return collect_edit(touchpoint=touchpoint, edit=edit, now=now)


def values() -> dict[int, int]:
    """How many answers count for each value, folded or not."""
    return {key[2]: n for key, n in check_counts().items() if n}


def waiting() -> int:
    return ResponseChange.objects.count()


# -- New ------------------------------------------------------------------------------------------


def test_an_answer_is_stored_as_it_was_given():
    touchpoint, campaign = make_touchpoint(), name_campaign(name="November", now=NOW)[0]
    message = a_message(value=3, reason="effort", comment="Traag.", lang="nl")
    response, created = take(touchpoint, message, visit=Visit(from_mail=True, campaign=campaign))
    response.refresh_from_db()
    assert created
    assert (response.key, response.scale, response.value) == (message.key, "nps", 3)
    assert (response.reason, response.comment, response.language) == ("effort", "Traag.", "nl")
    assert (response.channel, response.campaign) == ("email", campaign)
    assert (response.answered_at, response.answered_on) == (NOW, TODAY)
    # Of whom nothing is known.
    assert (response.customer, response.customer_type, response.invitation) == (None, "", None)
    assert not response.imported
    assert values() == {3: 1}


@pytest.mark.parametrize(
    ("said", "page", "kept"), [("", "en", "en"), ("nl", "en", "nl"), ("", "", "")]
)
def test_the_language_is_that_of_the_answer_else_that_of_the_page(said, page, kept):
    response, _ = take(make_touchpoint(), a_message(lang=said), visit=Visit(language=page))
    assert response.language == kept


def test_what_an_answer_is_about():
    """That of the code that came along, else that of the touchpoint; the category likewise."""
    a, b, c = make_category(), make_category(), make_category()
    kettle = make_product(sku="Kettle-1", category=a)
    toaster = make_product(sku="Toaster-1", category=b)
    loose = make_product(sku="Loose-1")
    table = [
        # touchpoint's product and category, the code; the answer's product and category
        (None, None, "", None, None),
        (None, c, "", None, c),
        (kettle, None, "", kettle, a),
        (kettle, c, "", kettle, a),
        (loose, c, "", loose, c),
        (None, None, "Toaster-1", toaster, b),
        (None, c, "Toaster-1", toaster, b),
        (kettle, None, "Toaster-1", toaster, b),
        (kettle, None, "tOASTER-1", toaster, b),
        (kettle, c, "Loose-1", loose, c),
        # Not the touchpoint's own: it was about something else, of which no more is known.
        (None, None, "Gone-9", None, None),
        (None, c, "Gone-9", None, c),
        (kettle, c, "Gone-9", None, c),
        (kettle, None, "Gone-9", None, None),
    ]
    found = []
    for product, category, code, *_ in table:
        touchpoint = make_touchpoint(product=product, category=category)
        response, _ = take(touchpoint, a_message(product=code))
        found.append((product, category, code, response.product, response.category))
    assert found == table
    check_counts()


# -- The same again -------------------------------------------------------------------------------


def test_the_same_again_is_the_same_answer_whenever_it_comes():
    touchpoint, message = make_touchpoint(), a_message(comment="Prima.")
    first, _ = take(touchpoint, message)
    again, created = take(touchpoint, message, now=NOW + 400 * DAY)
    assert (again, created, again.answered_at) == (first, False, NOW)
    assert values() == {9: 1}


def test_the_same_again_after_a_change_does_not_undo_it():
    touchpoint, message = make_touchpoint(), a_message(value=2)
    take(touchpoint, message)
    change(touchpoint, an_edit(message, value=8))
    again, created = take(touchpoint, message)
    assert (again.value, created) == (8, False)
    assert values() == {8: 1}


def test_a_product_that_becomes_known_meanwhile_does_not_make_it_another():
    touchpoint, message = make_touchpoint(), a_message(product="New-1")
    first, _ = take(touchpoint, message)
    make_product(sku="New-1")
    assert take(touchpoint, message) == (first, False)


@pytest.mark.parametrize(
    "other",
    [{"value": 3}, {"product": "X"}, {"lang": "en"}, {"comment": "Nee."}, {"reason": "fun"}],
    ids=lambda other: next(iter(other)),
)
def test_another_answer_under_the_key_is_refused(other):
    touchpoint, body = make_touchpoint(), an_answer_body()
    take(touchpoint, read(body))
    with pytest.raises(KeyReused):
        take(touchpoint, read(body | other))
    assert values() == {9: 1}


def test_keys_belong_to_their_touchpoint():
    message = a_message()
    assert [take(make_touchpoint(), message)[1] for _ in range(2)] == [True, True]


def test_the_key_of_a_change_is_no_key_for_an_answer():
    touchpoint, message = make_touchpoint(), a_message()
    take(touchpoint, message)
    edit = an_edit(message, value=1)
    change(touchpoint, edit)
    with pytest.raises(KeyReused):
        take(touchpoint, a_message(key=edit.key))
    assert values() == {1: 1}


# -- Changes of mind ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value": 8}, (8, "effort", "Traag.")),
        ({"reason": "fun"}, (3, "fun", "Traag.")),
        ({"comment": "Toch niet."}, (3, "effort", "Toch niet.")),
        ({"reason": ""}, (3, "", "Traag.")),
        ({"comment": ""}, (3, "effort", "")),
        ({"value": 8, "reason": "", "comment": ""}, (8, "", "")),
        ({"value": 3}, (3, "effort", "Traag.")),
    ],
    ids=str,
)
def test_a_change_changes_what_it_names_and_remembers_what_was(given, expected):
    touchpoint = make_touchpoint()
    message = a_message(value=3, reason="effort", comment="Traag.")
    first, _ = take(touchpoint, message)
    edit = an_edit(message, **given)
    changed, made = change(touchpoint, edit, NOW + timedelta(hours=1))
    changed.refresh_from_db()
    assert (changed, made) == (first, True)
    assert (changed.value, changed.reason, changed.comment) == expected
    assert changed.answered_at == NOW
    kept = ("response", "key", "edited_at", "value_before", "reason_before")
    assert ResponseEdit.objects.values_list(*kept).get() == (
        first.pk,
        edit.key,
        NOW + timedelta(hours=1),
        3,
        "effort",
    )
    assert values() == {expected[0]: 1}


def test_a_change_again_is_done_once_and_undoes_no_later_one():
    touchpoint, message = make_touchpoint(), a_message(value=0)
    take(touchpoint, message)
    first, second = an_edit(message, value=5), an_edit(message, value=10)
    made = [change(touchpoint, edit)[1] for edit in (first, first, second, first, second)]
    assert made == [True, False, True, False, False]
    before = ResponseEdit.objects.order_by("pk").values_list("key", "value_before")
    assert list(before) == [(first.key, 0), (second.key, 5)]
    assert values() == {10: 1}
    assert waiting() == 5


def test_the_same_change_under_another_key_is_another_change():
    touchpoint, message = make_touchpoint(), a_message(value=0)
    take(touchpoint, message)
    assert [change(touchpoint, an_edit(message, value=5))[1] for _ in range(2)] == [True, True]
    assert values() == {5: 1}


@pytest.mark.parametrize("taken_by", ["another body", "another answer", "the answer", "an answer"])
def test_a_key_that_stands_for_something_else_is_refused(taken_by):
    touchpoint = make_touchpoint()
    message, other = a_message(value=2), a_message(value=4)
    take(touchpoint, message)
    take(touchpoint, other)
    edit = an_edit(message, value=3)
    if taken_by == "another body":
        change(touchpoint, edit)
        edit = read({"key": edit.key, "edits": message.key, "value": 1})
    elif taken_by == "another answer":
        change(touchpoint, replace(edit, edits=other.key))
    elif taken_by == "the answer":
        edit = replace(edit, key=message.key)
    else:
        edit = replace(edit, key=other.key)
    before = stored_answers()
    with pytest.raises(KeyReused):
        change(touchpoint, edit)
    assert stored_answers() == before
    check_counts()


def stored_answers() -> list[tuple]:
    columns = ("key", "value", "reason", "comment", "edits__key")
    return list(Response.objects.order_by("pk").values_list(*columns))


@pytest.mark.parametrize(
    ("later", "taken"),
    [(timedelta(0), True), (DAY - MOMENT, True), (DAY, True), (DAY + MOMENT, False)],
    ids=str,
)
def test_a_score_can_be_changed_for_24_hours(later, taken):
    touchpoint, message = make_touchpoint(), a_message(value=2)
    take(touchpoint, message)
    # A repeated score too: it says that the answer is still meant, and it is no longer asked.
    for value in (2, 8):
        edit = an_edit(message, value=value, comment="Toch.")
        if taken:
            assert change(touchpoint, edit, NOW + later)[1]
        else:
            with pytest.raises(TooLate):
                change(touchpoint, edit, NOW + later)
    response = Response.objects.get()
    assert (response.value, response.comment) == ((8, "Toch.") if taken else (2, ""))
    assert ResponseEdit.objects.count() == (2 if taken else 0)
    check_counts()


def test_a_reason_and_a_comment_can_be_changed_for_ever():
    touchpoint, message = make_touchpoint(), a_message(value=2)
    take(touchpoint, message)
    for given in ({"reason": "effort"}, {"comment": "Traag."}, {"reason": "", "comment": ""}):
        assert change(touchpoint, an_edit(message, **given), NOW + 1000 * DAY)[1]
    assert values() == {2: 1}


def test_a_change_made_in_time_is_acknowledged_for_ever():
    touchpoint, message = make_touchpoint(), a_message(value=2)
    take(touchpoint, message)
    edit = an_edit(message, value=8)
    change(touchpoint, edit, NOW + DAY)
    again, made = change(touchpoint, edit, NOW + 30 * DAY)
    assert (again.value, made) == (8, False)


@pytest.mark.parametrize("why", ["never given", "elsewhere", "imported", "erased"])
def test_an_answer_that_is_not_there_cannot_be_changed(why):
    touchpoint, message = make_touchpoint(), a_message(value=2)
    edit = an_edit(message, value=8)
    if why == "elsewhere":
        take(make_touchpoint(), message)
    elif why == "imported":
        submit_response(an_answer(touchpoint=touchpoint, key=message.key, value=2, imported=True))
    elif why == "erased":
        customer = make_customer()
        submit_response(
            an_answer(touchpoint=touchpoint, key=message.key, value=2, customer=customer)
        )
        erase_answers(customer)
    before = stored_answers()
    with pytest.raises(UnknownAnswer, match=message.key):
        change(touchpoint, edit)
    assert stored_answers() == before
    assert not ResponseEdit.objects.exists()


def test_erasing_a_customer_takes_their_changes_along_and_leaves_the_counts():
    touchpoint, customer = make_touchpoint(), make_customer()
    mine, theirs = a_message(value=2), a_message(value=2)
    for message in (mine, theirs):
        take(touchpoint, message)
        change(touchpoint, an_edit(message, value=8, comment="Toch."))
    Response.objects.filter(key=mine.key).update(customer=customer)
    assert erase_answers(customer) == 1
    assert ResponseEdit.objects.values_list("response__key", flat=True).get() == theirs.key
    assert sorted(Response.objects.values_list("comment", flat=True)) == ["", "Toch."]
    assert values() == {8: 2}


# -- What was shown -------------------------------------------------------------------------------


def exposures() -> dict[tuple, int]:
    return {
        (row.touchpoint_id, str(row.day), row.kind, row.campaign_id): row.n
        for row in Exposure.objects.all()
    }


@pytest.mark.parametrize("counts", [True, False])
def test_an_answer_in_the_widget_counts_where_showing_is_counted(counts):
    touchpoint = make_touchpoint(counts_exposures=counts)
    message = a_message()
    # Once: neither the same again nor a change is another answer.
    take(touchpoint, message)
    take(touchpoint, message)
    change(touchpoint, an_edit(message, value=1))
    # The hosted page is not counted when it is shown.
    put(touchpoint, a_message(value=1))
    place = (touchpoint.pk, "2026-11-24", "answered", 0)
    assert exposures() == ({place: 1} if counts else {})


def test_exposures_are_counted_per_place_day_kind_and_campaign():
    one, two = make_touchpoint(), make_touchpoint()
    campaign = name_campaign(name="November", now=NOW)[0]
    # Nearly midnight in Amsterdam, and just after it.
    late = NOW.replace(hour=22, minute=59)
    for touchpoint, kind, at, within in [
        (one, "shown", NOW, None),
        (one, "shown", late, None),
        (one, "shown", late + timedelta(minutes=1), None),
        (one, "opened", NOW, None),
        (one, "opened", NOW, campaign),
        (two, "shown", NOW, None),
    ]:
        count_exposure(touchpoint, ExposureKind(kind), at, within)
    assert exposures() == {
        (one.pk, "2026-11-24", "shown", 0): 2,
        (one.pk, "2026-11-25", "shown", 0): 1,
        (one.pk, "2026-11-24", "opened", 0): 1,
        (one.pk, "2026-11-24", "opened", campaign.pk): 1,
        (two.pk, "2026-11-24", "shown", 0): 1,
    }


# -- The page with one form -----------------------------------------------------------------------


def put(touchpoint, message, said=("value",), now=NOW, **visit) -> Response:
    return put_answer(
        touchpoint=touchpoint,
        message=message,
        said=said,
        visit=Visit(language="nl", **visit),
        now=now,
    )


def test_the_form_says_what_the_answer_is_now():
    touchpoint, body = make_touchpoint(), an_answer_body(value=3)
    first = put(touchpoint, read(body))
    assert put(touchpoint, read(body)) == first
    for value, expected in ((8, {8: 1}), (3, {3: 1}), (3, {3: 1})):
        assert put(touchpoint, read(body | {"value": value})) == first
        assert values() == expected
    # What changed nothing is no change.
    assert list(ResponseEdit.objects.order_by("pk").values_list("value_before", flat=True)) == [
        3,
        8,
    ]


def test_the_reason_for_one_score_is_not_that_for_another():
    touchpoint, body = make_touchpoint(), an_answer_body(value=3, reason="effort")
    put(touchpoint, read(body), ("value", "reason"))
    later = {"key": body["key"], "value": 9}
    assert put(touchpoint, read(later)).reason == ""


def test_what_the_form_did_not_have_stays():
    touchpoint, body = make_touchpoint(), an_answer_body(value=3, comment="Traag.")
    put(touchpoint, read(body), ("value", "comment"))
    later = {"key": body["key"], "value": 3, "reason": "effort"}
    changed = put(touchpoint, read(later), ("value", "reason"))
    assert (changed.comment, changed.reason) == ("Traag.", "effort")
    emptied = put(touchpoint, read(later | {"comment": ""}), ("value", "comment"))
    assert emptied.comment == ""


def test_a_score_on_the_page_stands_after_24_hours_and_the_comment_is_free():
    touchpoint, body = make_touchpoint(), an_answer_body(value=3)
    put(touchpoint, read(body))
    late = NOW + DAY + MOMENT
    with pytest.raises(TooLate):
        put(touchpoint, read(body | {"value": 8}), now=late)
    kept = put(touchpoint, read(body | {"comment": "Traag."}), ("value", "comment"), now=late)
    assert (kept.value, kept.comment) == (3, "Traag.")


@pytest.mark.parametrize("why", ["imported", "the key of a change"])
def test_the_form_changes_only_answers_of_its_own_kind(why):
    touchpoint, key = make_touchpoint(), new_key()
    if why == "imported":
        submit_response(an_answer(touchpoint=touchpoint, key=key, value=3, imported=True))
    else:
        message = a_message(value=3)
        take(touchpoint, message)
        change(touchpoint, read(an_edit_body({"key": message.key}, comment="x") | {"key": key}))
    with pytest.raises(KeyReused):
        put(touchpoint, a_message(key=key, value=9))
    assert values() == {3: 1}


def test_an_answer_from_a_mail_is_one_of_its_channel_and_campaign_and_confirmed_once():
    touchpoint, campaign = make_touchpoint(), name_campaign(name="November", now=NOW)[0]
    body = an_answer_body(value=3)
    for value in (3, 3, 8):
        response = put(touchpoint, read(body | {"value": value}), from_mail=True, campaign=campaign)
    assert (response.channel, response.campaign, response.language) == ("email", campaign, "nl")
    assert exposures() == {(touchpoint.pk, "2026-11-24", "confirmed", campaign.pk): 1}


# -- All of it, in any order ----------------------------------------------------------------------


class Told:
    """What people did at two touchpoints, and what every answer must be by now."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.places = [make_touchpoint(), make_touchpoint(product=make_product())]
        self.answers: dict[tuple[int, str], tuple[int, str]] = {}
        self.sent: list[tuple] = []
        self.now = NOW

    def new(self) -> None:
        place = self.random.choice(self.places)
        reason = self.random.choice(["", "fun", "effort"])
        message = a_message(value=self.random.randrange(11), reason=reason)
        assert take(place, message, now=self.now)[1]
        self.answers[place.pk, message.key] = (message.value, reason)
        self.sent.append((place, message, self.now))

    def again(self) -> None:
        place, message, _ = self.random.choice(self.sent)
        assert not take(place, message, now=self.now)[1]

    def other(self) -> None:
        place, message, _ = self.random.choice(self.sent)
        other = a_message(key=message.key, value=(message.value + 1) % 11)
        with pytest.raises(KeyReused):
            take(place, other, now=self.now)

    def change(self) -> None:
        place, message, answered_at = self.random.choice(self.sent)
        value, reason = self.answers[place.pk, message.key]
        given = self.random.choice(
            [
                {"value": self.random.randrange(11)},
                {"reason": self.random.choice(["", "easy", "too_often"])},
                {"comment": "Toch."},
            ]
        )
        edit = an_edit(message, **given)
        if "value" in given and self.now - answered_at > DAY:
            with pytest.raises(TooLate):
                change(place, edit, self.now)
            return
        assert change(place, edit, self.now)[1]
        assert not change(place, edit, self.now)[1]
        new = (given.get("value", value), given.get("reason", reason))
        self.answers[place.pk, message.key] = new

    def fold(self) -> None:
        tallies.fold(self.random.randint(1, 9))

    def wait(self) -> None:
        self.now += timedelta(hours=self.random.randint(1, 20))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_in_whatever_order_the_counts_are_exact(seed):
    told = Told(seed)
    told.new()
    acts = [told.new, told.again, told.other, told.change, told.change, told.fold, told.wait]
    done = Counter()
    for _ in range(60):
        act = told.random.choice(acts)
        act()
        done[act.__name__] += 1
        check_counts()
    assert min(done.values()) > 2
    columns = ("touchpoint_id", "key", "value", "reason")
    stored = {
        (place, key): (value, reason)
        for place, key, value, reason in Response.objects.values_list(*columns)
    }
    assert stored == told.answers
    tallies.fold_all()
    check_folded()
