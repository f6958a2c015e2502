"""The dose policy on its pages: read, drafted, compared, replayed, published."""

import json
import re
from dataclasses import replace
from datetime import time, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from customers.dose_documents import digest_of, document_of, policy_of
from customers.dose_policy import Cell, Limit, Policy
from customers.models import DosePolicy, PolicyDraft
from customers.nights import night_of, ranges_of_night
from customers.policies import (
    current_policy,
    publish_policy,
    save_draft,
    stored_document,
    versions,
)
from customers.quiet_hours import Range
from customers.starting_policy import starting_policy
from insights import policy_views
from insights.accounts import Role
from insights.policy_forms import PolicyForm
from insights.policy_page import page_of
from tests.makers import NOW, make_contact, make_permitted

pytestmark = pytest.mark.django_db

START = digest_of(starting_policy())


def sign_in(client: Client, role: Role, name: str = "noor") -> Client:
    user = User.objects.create_user(name, f"{name}@example.org", "x", first_name=name.title())
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def marketer(client) -> Client:
    return sign_in(client, Role.MARKETER)


def text(response) -> str:
    assert response.status_code == 200
    body = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(body).split())


def publish(client: Client, note: str, **given):
    """Publish the draft as the page of the comparison does."""
    draft = PolicyDraft.objects.first()
    compared = digest_of(policy_of(draft.document, 2)) if draft else ""
    sent = {"after": 1, "draft": compared, "note": note} | given
    return client.post("/dosing/policy/publish/", sent, follow=True)


def filled(policy: Policy | None = None, **given) -> dict:
    """What the form sends as it stands, with some of it changed."""
    form = PolicyForm(policy=policy or starting_policy())
    values = {name: form[name].value() for name in form.fields}
    sent = {
        name: value.strftime("%H:%M") if isinstance(value, time) else value
        for name, value in values.items()
        if value not in (None, False, "")
    }
    return {name: value for name, value in (sent | given).items() if value is not None}


# -- Reading ---------------------------------------------------------------------------------------


def test_the_policy_is_one_readable_table_and_says_what_empty_and_nought_mean(marketer):
    page = text(marketer.get("/dosing/policy/"))
    assert "Policy 1 In force since" in page
    assert "A starting point, not science" in page
    assert "No number: no limit. 0: never." in page
    row = "Regular at most 8 in 30 days at most 4 in 30 days at most 2 in 30 days"
    assert f"{row} at most 1 in 1 day at most 3 in 7 days at most 8 in 30 days" in page
    assert "Contract like regular" in page


def test_everything_a_policy_says_stands_on_its_page():
    policy = starting_policy()
    page = page_of(policy)
    # Three tables of 15 cells, one with 5 ceilings; every other rule has a line of its own.
    assert len(page.cells) == len(policy.cells) - 45
    assert len(page.ceilings) == len(policy.ceilings) - 5
    assert [len(one.cells) for one in page.matrices[0].rows] == [3] * 5
    assert [one.channel for one in page.matrices] == ["E-mail", "Sms", "Telefoon"]
    assert len(page.points) == len(policy.points) == 7
    assert len(page.quiet) == 3


def test_limits_that_never_come_into_play_are_named(marketer):
    assert page_of(starting_policy()).pointless == []
    page = marketer.post("/dosing/policy/edit/", filled(offers_high_regular=9), follow=True)
    assert "at most 9 in 30 days. The limit for “Regular," in text(page)


def test_a_version_is_handed_out_as_the_document_that_the_command_reads(marketer):
    response = marketer.get("/dosing/policy/1.json")
    document = json.loads(response.content)
    assert digest_of(policy_of(document, 1)) == START
    assert marketer.get("/dosing/policy/9.json").status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_it_takes_as_many_queries_however_many_versions(
    marketer, number, django_assert_num_queries
):
    for n in range(number):
        document = document_of(starting_policy()) | {"country": ["BE", "DE", "FR"][n]}
        publish_policy(document=document, author="N", note="x", now=NOW, after=n + 1)
    current_policy()
    with django_assert_num_queries(9):
        assert "Versions" in text(marketer.get("/dosing/policy/"))


# -- Writing ---------------------------------------------------------------------------------------


def test_a_form_that_is_sent_as_it_stands_changes_nothing():
    form = PolicyForm(filled(), policy=starting_policy())
    assert form.is_valid(), form.errors
    assert digest_of(policy_of(form.document(), 2)) == START


def test_from_a_draft_over_the_comparison_to_a_policy_in_force(marketer):
    make_contact(make_permitted(), timezone.now() - timedelta(days=3))
    sent = filled(offers_low_regular=1, day_regular=None, thumb_days_low=120, country="")
    page = marketer.post("/dosing/policy/edit/", sent, follow=True)
    assert "Policy 2 would change 4 things" in text(page)
    assert "Regular, low involvement, promotion, E-mail: 2 → 1 in 30 days" in text(page)
    assert "customers get less" in text(page)
    assert "1 → no limit in 1 day" in text(page)
    assert digest_of(current_policy()) == START
    replayed = text(marketer.post("/dosing/policy/backtest/"))
    assert "It is not what would have happened without them." in replayed
    refused = publish(marketer, " ")
    assert "Say in a few words what changes" in text(refused)
    done = publish(marketer, "Less.")
    assert "Policy 2 is in force from now on." in text(done)
    newest = DosePolicy.objects.latest("version")
    assert (newest.version, newest.author, newest.note) == (2, "Noor", "Less.")
    assert not PolicyDraft.objects.exists()
    # The one before can be read and is what it was.
    assert "no longer in force" in text(marketer.get("/dosing/policy/1/"))
    assert DosePolicy.objects.get(version=1).digest == START


def test_what_was_published_meanwhile_has_to_be_compared_again(marketer):
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1))
    document = document_of(starting_policy()) | {"country": "BE"}
    publish_policy(document=document, author="Koen", note="x", now=NOW, after=1)
    save_draft(document=document | {"country": ""}, note="", editor="Koen", now=NOW)
    page = publish(marketer, "x")
    assert "Version 2 was published meanwhile" in text(page)
    assert DosePolicy.objects.count() == 2


@pytest.mark.parametrize("given", ["", "9", "one"])
def test_another_version_than_the_one_in_force_was_not_compared_with(marketer, given):
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1))
    assert "Compare with it again." in text(publish(marketer, "x", after=given))
    assert DosePolicy.objects.count() == 1


def test_a_draft_that_somebody_changed_after_the_comparison_is_not_published(marketer):
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1))
    page = marketer.get("/dosing/policy/compare/").content.decode()
    compared = re.search(r'name="draft" value="([0-9a-f]{64})"', page)[1]
    theirs = document_of(starting_policy()) | {"country": ""}
    save_draft(document=theirs, note="", editor="Koen", now=NOW)
    assert "Koen changed the draft meanwhile." in text(publish(marketer, "x", draft=compared))
    assert DosePolicy.objects.count() == 1
    assert PolicyDraft.objects.get().document == theirs


def test_very_many_contacts_are_replayed_for_a_week_and_the_page_says_so(marketer, monkeypatch):
    monkeypatch.setattr(policy_views, "MOST_REPLAYED", 1)
    customer = make_permitted()
    for days in (3, 20):
        make_contact(customer, timezone.now() - timedelta(days=days))
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1))
    said = "only the last 7 days were replayed"
    assert said in text(marketer.post("/dosing/policy/backtest/"))
    monkeypatch.setattr(policy_views, "MOST_REPLAYED", 2)
    assert said not in text(marketer.post("/dosing/policy/backtest/"))


def test_a_draft_of_somebody_else_is_replaced_and_it_is_said_whose_it_was(marketer):
    save_draft(document=document_of(starting_policy()), note="", editor="Koen", now=NOW)
    page = marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1), follow=True)
    assert "It replaces the one of Koen." in text(page)


@pytest.mark.parametrize("name", ["drop", "publish", "backtest"])
def test_without_a_draft_there_is_nothing_to_decide(marketer, name):
    page = text(marketer.post(f"/dosing/policy/{name}/", {"after": 1}, follow=True))
    assert "There is no draft." in page
    assert "Say in a few words" not in page
    assert DosePolicy.objects.count() == 1


def test_a_version_that_was_published_cannot_be_changed(marketer):
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1))
    publish(marketer, "Less.")
    for address in ("1/", "1.json", "2/"):
        sent = filled(offers_low_regular=0)
        assert marketer.post(f"/dosing/policy/{address}", sent).status_code == 405
    stored = [digest_of(policy_of(stored_document(one), one.version)) for one in versions()]
    assert stored == [digest_of(current_policy()), START]


def test_a_draft_can_be_dropped_once_it_was_asked(marketer):
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=1))
    asked = text(marketer.get("/dosing/policy/drop/"))
    assert "Drop the draft of policy 2?" in asked
    assert "A draft by Noor" in asked
    assert PolicyDraft.objects.exists()
    page = marketer.post("/dosing/policy/drop/", follow=True)
    assert "The policy in force did not change." in text(page)
    assert not PolicyDraft.objects.exists()
    assert "There is no draft." in text(marketer.get("/dosing/policy/compare/", follow=True))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"offers_low_regular": -1}, "-1 is too low. Give 0 or more; empty is no limit."),
        ({"month_regular": "many"}, "That is not a whole number. Write digits, such as 4;"),
        ({"thumb_days_low": 0}, "0 is too low. Give 1 or more; empty is no limit."),
        ({"survey_days_high": 0}, "0 is too low. Give 1 or more; empty is no limit."),
        ({"nps_days_regular": 400}, "400 is too high. Give 365 or less; empty is no limit."),
        ({"quiet_until_email": None}, "Give both times, or neither"),
        ({"quiet_from_email": "07:00"}, "Give two different times."),
        ({"quiet_from_email": "25:00"}, "Enter a valid time."),
        ({"country": "XX"}, "Select a valid choice."),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_at_its_field(marketer, given, message):
    page = text(marketer.post("/dosing/policy/edit/", filled(**given)))
    assert message in page
    assert not PolicyDraft.objects.exists()


def test_what_only_the_whole_shows_is_listed_with_the_rule_and_the_way_out(marketer, settings):
    settings.RETENTION_CONTACTS_DAYS = 366
    page = text(marketer.post("/dosing/policy/edit/", filled(nps_days_regular=300)))
    assert "This policy is not sound yet" in page
    assert "looks back further than contacts are kept (366 days)" in page


def test_nought_is_never_and_empty_is_no_limit(marketer):
    marketer.post("/dosing/policy/edit/", filled(offers_low_regular=0, offers_high_regular=None))
    page = text(marketer.get("/dosing/policy/compare/"))
    assert "2 → never in 30 days" in page
    assert "8 → no limit in 30 days" in page


def with_cells(kind: str, *instead: Cell, channel: str = "") -> Policy:
    """The starting policy with other cells for a kind."""
    start = starting_policy()
    kept = [one for one in start.cells if (one.kind, one.channel) != (kind, channel)]
    return replace(start, cells=[*kept, *instead])


@pytest.mark.parametrize(
    "policy",
    [
        with_cells("ask_nps", Cell(kind="ask_nps", limits=[Limit(0, timedelta(days=30))])),
        with_cells("ask_nps", Cell(kind="ask_nps", limits=[Limit(2, timedelta(days=90))])),
        with_cells("ask_nps", Cell(kind="ask_nps", limits=[Limit(1, timedelta(days=90))])),
        with_cells("ask_thumb", Cell(kind="ask_thumb", gap=timedelta(hours=36))),
        with_cells("ask_thumb", Cell(kind="ask_thumb", gap=timedelta(hours=12))),
        with_cells("ask_thumb", Cell(kind="ask_thumb", gap=timedelta(days=400))),
        with_cells(
            "promotion",
            Cell("", "", "email", "promotion", [Limit(2, timedelta(days=30))]),
            channel="email",
        ),
    ],
    ids=["never", "two", "wide", "36 hours", "12 hours", "400 days", "offers for all alike"],
)
def test_what_the_form_cannot_show_as_it_is_stays_as_it_is(policy):
    form = PolicyForm(filled(policy), policy=policy)
    assert form.is_valid(), form.errors
    assert digest_of(policy_of(form.document(), 1)) == digest_of(policy)
    # Something else can be changed without touching it.
    form = PolicyForm(filled(policy, day_regular=2), policy=policy)
    assert form.is_valid(), form.errors
    assert list(policy_of(form.document(), 1).cells) == list(
        policy_of(document_of(policy), 1).cells
    )


def test_a_wider_rule_is_shown_where_it_holds_and_gets_an_exception_when_changed():
    wide = Cell("", "", "email", "promotion", [Limit(2, timedelta(days=30))])
    policy = with_cells("promotion", wide, channel="email")
    assert PolicyForm(policy=policy)["offers_low_lapsed"].value() == 2
    form = PolicyForm(filled(policy, offers_low_lapsed=1), policy=policy)
    assert form.is_valid(), form.errors
    cells = policy_of(form.document(), 1).cells
    assert len(cells) == len(policy.cells) + 1
    limits = [Limit(1, timedelta(days=30))]
    assert Cell("low", "lapsed", "email", "promotion", limits) in cells


def test_the_days_of_surveys_and_scores_can_be_changed():
    form = PolicyForm(
        filled(survey_days_high=120, survey_days_medium=150, nps_days_lapsed=200),
        policy=starting_policy(),
    )
    assert form.is_valid(), form.errors
    cells = {one.key: one for one in policy_of(form.document(), 1).cells}
    assert cells["high", "", "", "ask_survey"].limits == [Limit(1, timedelta(days=120))]
    points = [Limit(6, timedelta(days=150), "points")]
    assert cells["medium", "", "", "ask_survey"].limits == points
    # Never stays never: it has no days to change.
    assert "survey_days_low" not in form.fields
    assert cells["low", "", "", "ask_survey"].limits == [Limit(0, timedelta(days=30))]
    for level in ("medium", "high"):
        one = cells[level, "lapsed", "", "ask_nps"]
        assert (one.limits, one.per) == ([Limit(1, timedelta(days=200))], "all")


def test_days_of_surveys_that_were_taken_away_can_be_given_again():
    form = PolicyForm(filled(survey_days_high=None), policy=starting_policy())
    assert form.is_valid(), form.errors
    without = policy_of(form.document(), 1)
    assert {one.key: one for one in without.cells}["high", "", "", "ask_survey"].limits == []
    form = PolicyForm(filled(without, survey_days_high=180), policy=without)
    assert form.is_valid(), form.errors
    assert digest_of(policy_of(form.document(), 1)) == START


@pytest.mark.parametrize(
    ("start", "end", "weekends", "minutes"),
    [
        (time(0), time(7), False, 7 * 7 * 60),
        (time(0), time(7), True, 5 * 7 * 60 + 2 * 24 * 60),
        (time(22), time(0), True, 5 * 2 * 60 + 2 * 24 * 60),
        (time(22), time(7), False, 7 * 9 * 60),
        (time(20), time(9), True, 4 * 13 * 60 + 4 * 60 + 2 * 24 * 60 + 9 * 60),
        (time(1), time(5), False, 7 * 4 * 60),
        (time(12), time(13), True, 5 * 60 + 2 * 24 * 60),
        (None, None, True, 2 * 24 * 60),
        (None, None, False, 0),
    ],
)
def test_hours_of_a_channel_come_back_as_they_went(start, end, weekends, minutes):
    ranges = ranges_of_night(start, end, weekends)
    assert sum(one.end - one.start for one in ranges) == minutes
    assert night_of(ranges) == (start, end, weekends)


def test_hours_of_another_shape_are_kept_and_not_asked_for():
    policy = policy_of(
        document_of(starting_policy())
        | {"quiet": {"email": [{"weekday": 2, "from": "10:00", "until": "11:00"}]}},
        1,
    )
    form = PolicyForm(policy=policy)
    assert "quiet_from_email" not in form.fields
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    form = PolicyForm(sent, policy=policy)
    assert form.is_valid(), form.errors
    assert policy_of(form.document(), 1).quiet["email"] == [Range(2, 600, 660)]


# -- Who may ---------------------------------------------------------------------------------------


def test_a_consent_admin_reads_and_does_not_write(client):
    admin = sign_in(client, Role.CONSENT_ADMIN)
    page = text(admin.get("/dosing/policy/"))
    assert "Propose the next policy" not in page
    save_draft(document=document_of(starting_policy()), note="", editor="Koen", now=NOW)
    assert "Publish policy" not in text(admin.get("/dosing/policy/compare/"))
    for name in ("edit", "drop"):
        assert admin.get(f"/dosing/policy/{name}/").status_code == 403
    for name in ("edit", "publish", "drop", "backtest"):
        assert admin.post(f"/dosing/policy/{name}/", {"after": 1, "note": "x"}).status_code == 403
    assert PolicyDraft.objects.exists()
    assert DosePolicy.objects.count() == 1


def test_looking_changes_nothing(marketer):
    save_draft(document=document_of(starting_policy()), note="", editor="Koen", now=NOW)
    for name in ("publish", "backtest"):
        assert marketer.get(f"/dosing/policy/{name}/").status_code == 405
    for name in ("", "edit/", "compare/", "drop/"):
        assert marketer.get(f"/dosing/policy/{name}").status_code == 200
    assert PolicyDraft.objects.exists()


def test_every_page_needs_a_login(client):
    for name in ("", "edit/", "compare/", "1/", "1.json"):
        assert client.get(f"/dosing/policy/{name}").status_code == 302
