"""Half a year of asking and permitting, made as fast as the ledger allows: for the tests of the
page about permission."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from customers.consent import Actor, Grade, State
from customers.ledger import Act, record_consent
from customers.models import AskTally, ConsentForm, Customer, Purpose, PurposeKind, Wording
from tests.makers import make_customer, make_purpose, make_wording, stored

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=AMSTERDAM)


def a_form(purpose: Purpose, key: str = "shop", **given) -> ConsentForm:
    usual = {"key": key, "name": key, "channel": "email", "first": purpose}
    return ConsentForm(**usual | {"created_at": at(date(2026, 1, 1))} | given)


def make_form(purpose: Purpose, key: str = "shop", **given) -> ConsentForm:
    return stored(a_form(purpose, key, **given))


def make_tips(key: str = "tips", **given) -> Purpose:
    usual = {"name_nl": "Tips en aanbiedingen", "name_en": "Tips and offers"}
    return make_purpose(**{"key": key, "kind": PurposeKind.MARKETING} | usual | given)


def make_text(purpose: Purpose, version: int = 1, language: str = "nl", **given) -> Wording:
    usual = {"published_at": at(date(2026, 1, 2)), "scope_hash": purpose.key}
    return make_wording(purpose=purpose, version=version, language=language, **usual | given)


def ask(form: ConsentForm, wording: Wording, on: date, shown: int, ticked: int, **given) -> None:
    facts = {"shown": shown, "ticked": ticked, "confirmed": ticked}
    stored(AskTally(form=form, wording=wording, on=on, **facts | given))


def say(
    customer: Customer,
    purpose: Purpose,
    state: State,
    on: date,
    *,
    hour: int = 12,
    **given,
) -> None:
    """Write what a customer did on a day, at noon unless another hour is given."""
    yes = state in {State.GIVEN, State.RENEWED}
    facts = {
        "purpose": purpose,
        "channel": "email",
        "state": state,
        "actor": Actor.CUSTOMER,
        "method": "checkbox" if yes else "preference_page",
        "place": "form:shop" if yes else "",
        "grade": Grade.A if yes else Grade.D,
        "occurred_at": at(on, hour),
        "address": customer.email,
    }
    if yes:
        facts["wording"] = purpose.wordings.order_by("-version").first()
    record_consent(customer=customer, act=Act(**facts | given), now=at(on, hour))


def make_customers(number: int, start: int = 0) -> list[Customer]:
    return [
        make_customer(reference=f"P{start + n}", email=f"p{start + n}@example.org")
        for n in range(number)
    ]


def half_a_year(today: date, *, purposes: int = 1, people: int = 60) -> list[Purpose]:
    """Ask on each of 26 weeks, let people say yes one a day, and some take it back after 10 days.

    Of 100 times a week the text is shown 40 are ticked, and 60 in the second half.
    """
    made = []
    for number in range(purposes):
        purpose = make_tips(f"tips{number}", name_en=f"Tips {number}", name_nl=f"Tips {number}")
        form = make_form(purpose, f"shop{number}")
        wording = make_text(purpose)
        for week in range(26):
            share = 40 if week < 13 else 60
            ask(form, wording, today - timedelta(weeks=25 - week), 100, share)
        for n, customer in enumerate(make_customers(people, start=1000 * number)):
            given_on = today - timedelta(days=1 + n)
            say(customer, purpose, State.GIVEN, given_on)
            if n > 10 and n % 6 == 0:
                say(customer, purpose, State.WITHDRAWN, given_on + timedelta(days=10))
        made.append(purpose)
    return made
