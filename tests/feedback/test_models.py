"""What the database itself keeps true of answers, invitations and counts."""

from datetime import date

import pytest

from feedback.models import (
    Campaign,
    CountingState,
    DayCube,
    Exposure,
    Labels,
    ResponseChange,
    ResponseEdit,
    Tally,
    Theme,
    Touchpoint,
)
from feedback.scales import SCALES
from tests.constraints import (
    Case,
    again,
    check_full_clean_refuses,
    check_the_database_refuses,
    check_valid_goes_in,
    rules_of,
)
from tests.makers import (
    NOW,
    TODAY,
    a_response,
    a_touchpoint,
    an_invitation,
    make_consent_form,
    make_invitation,
    make_touchpoint,
    stored,
)

pytestmark = pytest.mark.django_db


def a_change(**given) -> ResponseChange:
    return ResponseChange(**{"measure": "nps", "day": TODAY, "value": 9, "n": 1} | given)


def a_cube_row(**given) -> DayCube:
    return DayCube(**{"measure": "nps", "day": TODAY, "value": 9, "n": 1} | given)


def a_tally(**given) -> Tally:
    place = {"dimension": "channel", "key": "web", "measure": "nps", "day": TODAY, "value": 9}
    return Tally(**place | {"n": 1} | given)


def a_state(**given) -> CountingState:
    CountingState.objects.all().delete()
    return CountingState(**{"time_zone": "UTC", "folded_at": NOW} | given)


def a_campaign(**given) -> Campaign:
    return Campaign(**{"key": "5f1c", "name": "November", "created_at": NOW} | given)


def an_edit(response, **given) -> ResponseEdit:
    facts = {"key": "edit", "body_hash": "0" * 16, "edited_at": NOW, "value_before": 9}
    return ResponseEdit(response=response, touchpoint=response.touchpoint, **facts | given)


def an_exposure(**given) -> Exposure:
    if "touchpoint" not in given:
        shown = Touchpoint.objects.filter(name="Shown").first()
        given["touchpoint"] = shown or make_touchpoint(name="Shown")
    return Exposure(**{"day": TODAY, "kind": "shown", "n": 1} | given)


def differing(make, **other) -> list[Case]:
    """Two rows that differ in one part of the key are two; two that differ in none are not."""
    (rule,) = make()._meta.constraints
    return [
        Case(
            rule.name,
            lambda part=part: beside(make, **{part: other[part]}),
            lambda: again(make),
        )
        for part in other
    ]


def beside(make, **other):
    """Store a row and return another one that differs in this."""
    make().save()
    return make(**other)


def at(touchpoint, **given):
    return a_response(**{"touchpoint": touchpoint, "key": "one"} | given)


def the_same_at_a_touchpoint():
    touchpoint = make_touchpoint()
    return again(lambda: at(touchpoint))


def the_same_at_another():
    at(make_touchpoint()).save()
    return at(make_touchpoint())


def another_at_the_same():
    touchpoint = make_touchpoint()
    at(touchpoint).save()
    return at(touchpoint, key="two")


def the_same_with_and_without():
    at(make_touchpoint()).save()
    return at(None)


def a_second_answer():
    invitation = make_invitation()
    return again(lambda: a_response(invitation=invitation))


def an_edit_of_a_new_answer(**given):
    return an_edit(stored(at(make_touchpoint())), **given)


def the_same_edit():
    response = stored(at(make_touchpoint()))
    return again(lambda: an_edit(response))


def another_edit():
    response = stored(at(make_touchpoint()))
    an_edit(response).save()
    return an_edit(response, key="another")


def the_same_edit_elsewhere():
    an_edit_of_a_new_answer().save()
    return an_edit_of_a_new_answer()


OFF_SCALE = [
    Case(
        "response_value_on_scale",
        lambda scale=scale, value=fits: a_response(scale=scale, value=value),
        lambda scale=scale, value=off: a_response(scale=scale, value=value),
    )
    for scale in SCALES
    for fits, off in (
        (SCALES[scale].lowest, SCALES[scale].lowest - 1),
        (SCALES[scale].highest, SCALES[scale].highest + 1),
    )
]
CASES = [
    Case("touchpoint.key", a_touchpoint, lambda: again(lambda: a_touchpoint(key="nps-abc"))),
    Case("touchpoint.name", a_touchpoint, lambda: again(lambda: a_touchpoint(name="Till"))),
    Case(
        "touchpoint_name_not_empty",
        lambda: a_touchpoint(name="0"),
        lambda: a_touchpoint(name=""),
    ),
    *[
        Case(
            "touchpoint_key_says_scale",
            lambda scale=scale: a_touchpoint(scale=scale, key=f"{scale}-0123"),
            lambda scale=scale, key=key: a_touchpoint(scale=scale, key=key),
        )
        for scale, key in (
            *[("thumb", "nps-0123"), ("nps", "thumb-0123"), ("csat", "ces-0123")],
            *[("ces", "csat-0123"), ("nps", "0123"), ("nps", "nps"), ("nps", "npsx-0123")],
        )
    ],
    Case(
        "touchpoint_key_says_scale",
        a_touchpoint,
        lambda: a_touchpoint(scale="stars", key="stars-0123"),
    ),
    *[
        Case(
            "touchpoint_labels_known",
            lambda labels=labels: a_touchpoint(labels=labels),
            lambda: a_touchpoint(labels="maybe"),
        )
        for labels in Labels.values
    ],
    Case(
        "touchpoint_offer_after_a_thumb",
        lambda: a_touchpoint(scale="thumb", offer=make_consent_form()),
        lambda: a_touchpoint(scale="nps", offer=make_consent_form()),
    ),
    *[
        Case(
            "touchpoint_theme_known",
            lambda theme=theme: a_touchpoint(theme=theme),
            lambda: a_touchpoint(theme="sepia"),
        )
        for theme in Theme.values
    ],
    Case("campaign.key", a_campaign, lambda: beside(a_campaign, name="December")),
    Case("campaign.name", a_campaign, lambda: beside(a_campaign, key="6a2d")),
    Case("campaign_name_not_empty", lambda: a_campaign(name="0"), lambda: a_campaign(name="")),
    Case("campaign_key_not_empty", lambda: a_campaign(key="0"), lambda: a_campaign(key="")),
    Case("responseedit_key_unique", another_edit, the_same_edit),
    Case("responseedit_key_unique", the_same_edit_elsewhere, the_same_edit),
    Case(
        "responseedit_key_not_empty",
        lambda: an_edit_of_a_new_answer(key="0"),
        lambda: an_edit_of_a_new_answer(key=""),
    ),
    *[
        Case(
            "exposure_key_unique",
            lambda other=other: beside(an_exposure, **other),
            lambda: again(an_exposure),
        )
        for other in ({"day": date(2026, 11, 23)}, {"kind": "opened"}, {"campaign_id": 1})
    ],
    Case(
        "exposure_key_unique",
        lambda: beside(an_exposure, touchpoint=make_touchpoint()),
        lambda: again(an_exposure),
    ),
    *[
        Case(
            "exposure_kind_known",
            lambda kind=kind: an_exposure(kind=kind),
            lambda: an_exposure(kind="clicked"),
        )
        for kind in ("shown", "answered", "opened", "confirmed")
    ],
    Case(
        "invitation_one_for_a_link",
        lambda: an_invitation(key="a"),
        lambda: again(lambda: an_invitation(key="a")),
    ),
    Case(
        "invitation_channel_known",
        lambda: an_invitation(channel="sms"),
        lambda: an_invitation(channel="fax"),
    ),
    Case(
        "invitation_customer_type_known",
        lambda: an_invitation(customer_type="lapsed"),
        lambda: an_invitation(customer_type="friend"),
    ),
    Case("response_key_unique", the_same_at_another, the_same_at_a_touchpoint),
    Case("response_key_unique", another_at_the_same, the_same_at_a_touchpoint),
    Case(
        "response_key_unique_without_touchpoint",
        the_same_with_and_without,
        lambda: again(lambda: at(None)),
    ),
    Case(
        "response_involvement_known",
        lambda: a_response(involvement="high"),
        lambda: a_response(involvement="huge"),
    ),
    Case("response_key_not_empty", lambda: a_response(key="0"), lambda: a_response(key="")),
    *OFF_SCALE,
    Case(
        "response_value_on_scale",
        a_response,
        lambda: a_response(scale="stars", value=5),
    ),
    Case(
        "response_reason_known",
        lambda: a_response(reason="fun"),
        lambda: a_response(reason="boredom"),
    ),
    Case(
        "response_channel_known",
        lambda: a_response(channel="ad"),
        lambda: a_response(channel="fax"),
    ),
    Case(
        "response_customer_type_known",
        lambda: a_response(customer_type="contract"),
        lambda: a_response(customer_type="friend"),
    ),
    Case("response.invitation", lambda: a_response(invitation=make_invitation()), a_second_answer),
    Case("change_is_one_step", lambda: a_change(n=-1), lambda: a_change(n=0)),
    Case("change_is_one_step", lambda: a_change(n=1), lambda: a_change(n=2)),
    *differing(
        a_cube_row,
        measure="csat",
        day=date(2026, 11, 23),
        value=8,
        touchpoint_id=1,
        product_id=1,
        category_id=1,
        channel="web",
        customer_type="regular",
        reason="fun",
    ),
    *differing(
        a_tally,
        dimension="reason",
        key="email",
        measure="csat",
        day=date(2026, 11, 23),
        value=8,
    ),
    Case("countingstate_is_one_row", a_state, lambda: a_state(id=2)),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)


def test_every_rule_has_a_case():
    assert {case.rule for case in CASES} == rules_of("feedback")


@each_case
def test_what_is_valid_goes_in(case):
    check_valid_goes_in(case)


@each_case
def test_full_clean_refuses_what_is_not(case):
    check_full_clean_refuses(case)


@each_case
def test_the_database_refuses_what_is_not(case):
    check_the_database_refuses(case)
