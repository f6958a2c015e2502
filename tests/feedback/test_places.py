"""Touchpoints and campaigns: what people decide about them, and what is made for them."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from feedback.colours import ColourError
from feedback.models import Campaign, ScaleKey, Touchpoint
from feedback.origins import OriginError
from feedback.places import (
    Place,
    PlaceError,
    change_touchpoint,
    create_touchpoint,
    name_campaign,
)
from tests.makers import NOW, make_category, make_product

pytestmark = pytest.mark.django_db


def everything() -> dict:
    return {
        "name": "Checkout",
        "question_nl": "Ging het goed?",
        "question_en": "Did it go well?",
        "thanks_nl": "Dank je.",
        "thanks_en": "Thank you.",
        "labels": "good",
        "product": make_product(),
        "category": make_category(),
        "origins": ["https://www.shop.example"],
        "theme": "dark",
        "accent": "#3c48b8",
        "counts_exposures": True,
    }


def facts(touchpoint: Touchpoint, names) -> dict:
    touchpoint.refresh_from_db()
    return {name: getattr(touchpoint, name) for name in names}


@pytest.mark.parametrize("scale", ScaleKey.values)
def test_a_touchpoint_gets_a_key_that_says_its_scale(scale):
    one = create_touchpoint(scale=scale, place=Place(name="Checkout"), now=NOW)
    two = create_touchpoint(scale=scale, place=Place(name="Newsletter"), now=NOW)
    assert (one.name, one.scale, one.created_at) == ("Checkout", scale, NOW)
    assert one.key != two.key
    for touchpoint in (one, two):
        assert re.fullmatch(rf"{scale}-[0-9a-f]{{12}}", touchpoint.key)
        touchpoint.full_clean()


def test_a_touchpoint_is_stored_with_everything_that_was_decided():
    decided = everything()
    touchpoint = create_touchpoint(scale="thumb", place=Place(**decided), now=NOW)
    assert facts(touchpoint, decided) == decided


def test_of_what_nobody_decided_nothing_is_asked_or_allowed():
    touchpoint = create_touchpoint(scale="nps", place=Place(name="Checkout"), now=NOW)
    assert facts(touchpoint, ["origins", "counts_exposures", "theme", "accent", "labels"]) == {
        "origins": [],
        "counts_exposures": False,
        "theme": "",
        "accent": "",
        "labels": "",
    }
    assert touchpoint.question("nl").startswith("Hoe waarschijnlijk is het")
    assert touchpoint.question("en").startswith("How likely are you")
    assert touchpoint.thanks("nl") == touchpoint.thanks("en") == ""


def test_a_change_changes_everything_but_key_and_scale():
    touchpoint = create_touchpoint(scale="thumb", place=Place(**everything()), now=NOW)
    before = (touchpoint.pk, touchpoint.key, touchpoint.scale, touchpoint.created_at)
    other = dict.fromkeys(everything(), "") | {
        "name": "Till",
        "product": None,
        "category": None,
        "origins": [],
        "counts_exposures": False,
    }
    changed = change_touchpoint(touchpoint, Place(**other))
    assert facts(changed, other) == other
    assert (changed.pk, changed.key, changed.scale, changed.created_at) == before


def test_a_question_and_thanks_are_said_in_the_language_of_the_reader():
    touchpoint = create_touchpoint(scale="thumb", place=Place(**everything()), now=NOW)
    assert [touchpoint.question(language) for language in ("nl", "en")] == [
        "Ging het goed?",
        "Did it go well?",
    ]
    assert [touchpoint.thanks(language) for language in ("nl", "en")] == ["Dank je.", "Thank you."]


def test_addresses_are_kept_as_browsers_send_them_each_once_and_sorted():
    pasted = ["https://B.example/shop", "https://a.example:443", "https://b.example"]
    assert Place(name="x", origins=pasted).origins == ["https://a.example", "https://b.example"]


def test_an_address_that_no_browser_sends_is_refused():
    with pytest.raises(OriginError, match="does not begin with https://"):
        Place(name="x", origins=["https://a.example", "b.example"])


def test_an_accent_is_kept_if_it_can_be_read():
    assert Place(name="x", accent=" #3C48B8").accent == "#3c48b8"
    with pytest.raises(ColourError, match="Contrast with white"):
        Place(name="x", accent="#ffff00")


def test_a_name_is_given_once():
    create_touchpoint(scale="nps", place=Place(name="Checkout"), now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        create_touchpoint(scale="ces", place=Place(name="Checkout"), now=NOW)


def test_a_sending_that_was_named_before_keeps_its_key():
    first, new = name_campaign(name="November", now=NOW)
    again, new_again = name_campaign(name="November", now=NOW + timedelta(days=1))
    assert (new, new_again) == (True, False)
    assert (again.pk, again.key, again.created_at) == (first.pk, first.key, NOW)


def test_a_campaign_gets_a_short_key_for_links():
    one, two = name_campaign(name="One", now=NOW)[0], name_campaign(name="Two", now=NOW)[0]
    assert one.key != two.key
    assert re.fullmatch("[0-9a-f]{8}", one.key)
    assert Campaign.objects.get(key=one.key) == one
    assert (one.name, one.created_at) == ("One", NOW)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"question_nl": "x" * 201, "question_en": "x"}, "question_nl"),
        ({"thanks_en": "x" * 201}, "thanks_en"),
        ({"question_nl": "Goed?"}, "question_en"),
        ({"question_en": "Good?"}, "question_nl"),
        ({"labels": "agree"}, "labels"),
    ],
    ids=lambda given: str(given)[:30],
)
def test_what_cannot_be_asked_is_refused_with_its_field(given, field):
    with pytest.raises(PlaceError) as refused:
        Place(**{"name": "Checkout"} | given)
    assert refused.value.field == field


def test_only_thumbs_have_words():
    place = Place(name="x", question_nl="Goed?", question_en="Good?", labels="good")
    with pytest.raises(PlaceError, match="the scale is nps"):
        create_touchpoint(scale="nps", place=place, now=NOW)
    assert create_touchpoint(scale="thumb", place=place, now=NOW).labels == "good"
