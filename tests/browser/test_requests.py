"""Requests about data in a real browser: taken in, answered, erased; and the register."""

import pytest
from django.utils import timezone

from customers.data_requests import Asked, receive_request
from customers.models import Customer, DataRequest, Erasure, Purchase, RequestKind, RequestSource
from tests.browser.looks import FEW_LOOKS, choices
from tests.makers import a_purchase, make_customer, stored

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def noor() -> Customer:
    noor = make_customer(reference="K-1042", email="noor@example.org", name="Noor de Vries")
    stored(a_purchase(customer=noor, purchased_at=timezone.now()))
    return noor


def ask(customer: Customer, kind: RequestKind, **given) -> DataRequest:
    asked = Asked(kind=kind, source=RequestSource.STAFF, text="Vroeg het per telefoon.", **given)
    return receive_request(customer=customer, asked=asked, now=timezone.now())


@pytest.mark.parametrize(("language", "theme", "width"), FEW_LOOKS)
def test_every_page_looks_right(open_page, session, noor, language, theme, width):
    watched = open_page(width=width, cookies=choices(language, theme) | session)
    shot = f"{language}-{theme}-{width}"
    watched.visit("/permission/requests/")
    watched.check(f"requests-empty-{shot}")
    access = ask(noor, RequestKind.ACCESS)
    correction = ask(noor, RequestKind.RECTIFICATION, corrections={"name": "Noor B. de Vries"})
    erasure = ask(noor, RequestKind.ERASURE)
    pages = {
        "/permission/requests/": "requests",
        f"/permission/requests/{access.pk}/": "request-access",
        f"/permission/requests/{access.pk}/data/": "person",
        f"/permission/requests/{correction.pk}/": "request-correction",
        f"/permission/requests/{erasure.pk}/": "request-erasure",
        "/permission/register/": "register",
    }
    for path, name in pages.items():
        watched.visit(path)
        watched.check(f"{name}-{shot}")
    assert watched.problems == []


def test_a_colleague_takes_an_erasure_in_and_does_it(open_page, session, noor):
    watched = open_page(width=360, cookies=choices("en", "light") | session)
    page = watched.page
    watched.visit("/permission/requests/")
    page.fill("#id_reference", "K-1042")
    page.select_option("#id_kind", "erasure")
    page.fill("#id_text", "Called, knows her last order.")
    page.click("#submit-id-take_in")
    watched.settle()
    assert page.locator(".btn-danger").count() == 1
    page.click(".btn-danger")
    watched.settle()
    watched.check("request-erased")
    assert Erasure.objects.count() == 1
    assert Purchase.objects.count() == 0
    assert "Noor" not in page.content()
    assert watched.problems == []
