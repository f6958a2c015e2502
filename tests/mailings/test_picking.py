"""What somebody is shown: chosen by what they bought only with their permission, each with why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from customers.api_keys import Scope
from customers.models import AccessLog, ApiKey, Customer, Product, Purpose
from customers.withdrawals import Means, withdraw
from mailings.models import Delivery, GoesWith
from mailings.picking import (
    LOOKED_BACK,
    count_picks,
    permits_personal,
    personal_picks,
    popular_picks,
    sample_picks,
)
from mailings.sending import group_of, schedule
from tests.customers.test_api import call, make_key
from tests.customers.test_contacts_api import awake_all_night
from tests.mailings.test_sending import make_message, planned, send, server  # noqa: F401
from tests.makers import (
    a_purchase,
    known_purpose,
    make_customer,
    make_permitted,
    make_product,
    make_wording,
    record,
    stored,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def bought(customer: Customer, *products: Product, ago: int = 10) -> None:
    for product in products:
        at = timezone.now() - ago * DAY
        stored(a_purchase(customer=customer, product=product, purchased_at=at))


@pytest.fixture
def shop() -> dict[str, Product]:
    """A vacuum cleaner goes with its bags, which people buy again; a lamp with nothing."""
    names = ("Vacuum", "Bags", "Lamp", "Pillow")
    products = {name: make_product(name=name) for name in names}
    for n in range(30):
        person = make_customer()
        if n < 12:
            bought(person, products["Vacuum"], products["Bags"])
            bought(person, products["Bags"], ago=40)
        elif n < 24:
            bought(person, products["Lamp"])
        else:
            bought(person, products["Pillow"])
    assert count_picks(timezone.now()) == 4
    return products


def permitting(**given) -> Customer:
    """Who said yes to tips, and to those that fit what they buy."""
    person = make_permitted(**given)
    purpose = known_purpose("personalisation", valid_days=3650)
    wording = purpose.wordings.first() or make_wording(
        purpose=purpose, published_at=timezone.now() - 400 * DAY
    )
    record(person, purpose=purpose, address=person.email, wording=wording)
    return person


def names(picks) -> list[str]:
    return [one.product.name for one in picks.shown]


def test_who_bought_the_vacuum_cleaner_sees_its_bags_and_why(shop):
    noor = permitting()
    bought(noor, shop["Vacuum"])
    found = personal_picks(noor, timezone.now(), 3)
    assert names(found)[0] == "Bags"
    assert found.shown[0].because == shop["Vacuum"]
    assert found.is_personal
    # Bought once and needed once; and the rest is what is popular.
    assert names(found) == ["Bags", "Lamp", "Pillow"]
    assert found.shown[1].because is None


def test_what_people_buy_again_is_shown_again(shop):
    noor = permitting()
    bought(noor, shop["Bags"])
    bought(noor, shop["Vacuum"])
    assert GoesWith.objects.get(product=shop["Bags"]).is_bought_again
    assert not GoesWith.objects.get(product=shop["Vacuum"]).is_bought_again
    assert "Bags" in names(personal_picks(noor, timezone.now(), 4))
    assert "Vacuum" not in names(personal_picks(noor, timezone.now(), 4))


def test_who_bought_nothing_gets_what_is_popular(shop):
    found = personal_picks(permitting(), timezone.now(), 2)
    assert not found.is_personal
    assert names(found) == names(popular_picks(2))


def test_a_shop_without_purchases_has_nothing_to_show():
    assert count_picks(timezone.now()) == 0
    assert popular_picks(3).shown == []
    assert sample_picks(3).shown == []
    assert personal_picks(make_customer(), timezone.now(), 3).shown == []


def test_counting_again_says_the_same_and_forgets_what_is_long_ago(shop):
    before = list(GoesWith.objects.order_by("pk").values())
    count_picks(timezone.now())
    assert list(GoesWith.objects.order_by("pk").values()) == before
    count_picks(timezone.now() + LOOKED_BACK)
    assert not GoesWith.objects.exists()


def test_who_asked_not_to_be_used_is_not_counted(shop):
    Customer.objects.update(restricted_at=timezone.now())
    assert count_picks(timezone.now()) == 0


def test_without_the_permission_or_the_purpose_nothing_is_personal():
    person = make_permitted()
    assert not permits_personal(person, "email", timezone.now())
    noor = permitting()
    assert permits_personal(noor, "email", timezone.now())
    assert not permits_personal(noor, "web", timezone.now())
    withdraw(
        customer=noor,
        purpose=known_purpose("personalisation"),
        channel="email",
        means=Means(method="unsubscribe_page", place="mail"),
        now=timezone.now(),
    )
    assert not permits_personal(noor, "email", timezone.now())


# -- In a mail ------------------------------------------------------------------------------------


def a_personal_mailing(**given):
    mailing = make_message(**given)
    mailing.texts.update(body="{{ greeting }}\n\n{{ picks }}")
    return mailing


def mails(server) -> dict[str, str]:  # noqa: F811
    return {address: message.get_body(("html",)).get_content() for address, message in server.took}


def test_a_mail_is_personal_for_who_permits_it_and_the_same_for_the_rest(server, shop):  # noqa: F811
    awake_all_night()
    noor = permitting(email="noor@example.org", language="nl")
    other = make_permitted(email="other@example.org", language="nl")
    bought(noor, shop["Vacuum"])
    bought(other, shop["Vacuum"])
    mailing = a_personal_mailing(generic_percent=0)
    schedule(mailing_id=mailing.pk, at=timezone.now(), now=timezone.now())
    send()
    got = mails(server)
    assert "omdat je Vacuum kocht" in got["noor@example.org"]
    assert "Zet dat uit" in got["noor@example.org"]
    assert "kocht" not in got["other@example.org"]
    assert "Zet dat uit" not in got["other@example.org"]
    assert "<strong>Lamp</strong>" in got["other@example.org"]
    groups = {one.customer_id: one.group for one in Delivery.objects.all()}
    assert groups == {noor.pk: "personal", other.pk: ""}


def test_a_share_by_chance_gets_what_everybody_gets(server, shop):  # noqa: F811
    awake_all_night()
    noor = permitting(email="noor@example.org", language="nl")
    bought(noor, shop["Vacuum"])
    mailing = a_personal_mailing(generic_percent=100)
    schedule(mailing_id=mailing.pk, at=timezone.now(), now=timezone.now())
    send()
    assert "omdat je" not in mails(server)["noor@example.org"].partition("Je krijgt")[0]
    assert Delivery.objects.get(customer=noor).group == "generic"


def test_the_share_is_drawn_for_each_mailing_and_stays():
    one, other = a_personal_mailing(), a_personal_mailing(name="Other")
    drawn = [group_of(one, pk) for pk in range(2_000)]
    assert drawn == [group_of(one, pk) for pk in range(2_000)]
    assert drawn != [group_of(other, pk) for pk in range(2_000)]
    # Ten of a hundred, give or take: 3.9 standard deviations.
    assert 148 <= drawn.count("generic") <= 252


def test_a_mail_without_a_place_for_products_draws_nobody(server, shop):  # noqa: F811
    awake_all_night()
    bought(permitting(), shop["Vacuum"])
    planned()
    send()
    assert Delivery.objects.get().group == ""


# -- Over the API ---------------------------------------------------------------------------------


@pytest.fixture
def key() -> str:
    return make_key(Scope.PICKS)


def test_a_page_of_the_shop_asks_what_to_show_and_why(shop, key):
    purpose = known_purpose("personalisation")
    Purpose.objects.filter(pk=purpose.pk).update(channels=["email", "web"])
    noor = permitting(reference="K/7", language="en")
    bought(noor, shop["Vacuum"])
    told = call("customers/K/7/picks?channel=email&most=2", key=key)
    assert told.status_code == 200
    first, second = told.json()["picks"]
    assert first["because"] == {"sku": shop["Vacuum"].sku, "name": "Vacuum"}
    assert first["sentence"] == "because you bought Vacuum"
    assert (second["because"], second["sentence"]) == (None, "")
    assert told.json()["personal"] is True
    assert "/preferences/" in told.json()["turn_off"]
    # Who looked can be read by the customer.
    assert AccessLog.objects.get(customer=noor).reason == "picks:read"


def test_who_does_not_permit_it_is_shown_what_is_popular(shop, key):
    make_permitted(reference="K1")
    told = call("customers/K1/picks", key=key).json()
    assert (told["personal"], told["turn_off"]) == (False, None)
    assert [one["because"] for one in told["picks"]] == [None] * 4


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("customers/nobody/picks", 404),
        ("customers/K1/picks?most=0", 422),
        ("customers/K1/picks?most=51", 422),
        ("customers/K1/picks?channel=fax", 422),
    ],
)
def test_what_cannot_be_asked_is_refused(key, path, status):
    make_permitted(reference="K1")
    assert call(path, key=key).status_code == status


def test_another_key_may_not(shop):
    make_permitted(reference="K1")
    other = make_key(Scope.SEND)
    assert call("customers/K1/picks", key=other).status_code == 403
    assert ApiKey.objects.count() == 1
