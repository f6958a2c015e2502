"""What the tests of the opt-in form share: letters that are sent, and links that are in them."""

import re
from datetime import datetime

from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from customers import letters, triggers
from customers.asking import Tick
from customers.models import (
    AskTally,
    ConsentEntry,
    ConsentForm,
    ConsentState,
    Customer,
    Letter,
    MailedLink,
    Wording,
)

SENDER = letters.Sender("Lindehuis", "Lindehuis <post@example.org>")
ADDRESS = "noor@example.org"


def text_of(form: ConsentForm, language: str = "nl") -> Wording:
    return form.first.wordings.get(language=language)


def second_text(form: ConsentForm, language: str = "nl") -> Wording:
    return form.second.wordings.get(language=language)


def a_tick(form: ConsentForm, now: datetime, **given) -> Tick:
    return Tick(**{"form": form, "wording": text_of(form), "now": now} | given)


def send(now: datetime | None = None) -> int:
    return letters.send_due(SENDER, now or timezone.now())


def token_in(message: mail.EmailMessage) -> str:
    return re.search(r"/confirm/([^/\s]+)/", message.body)[1]


def mailed_token(now: datetime | None = None) -> str:
    """Send what waits and return the token of the last letter."""
    assert send(now) >= 1
    return token_in(mail.outbox[-1])


def states(customer: Customer | None = None) -> list[str]:
    entries = ConsentEntry.objects.order_by("pk")
    if customer is not None:
        entries = entries.filter(customer=customer)
    return [str(entry.state) for entry in entries]


def fields(form: ConsentForm, language: str = "nl", **given) -> dict[str, object]:
    """What a browser sends for the first question, with the box ticked; None leaves a field out."""
    usual = {
        "lang": language,
        "step": "first",
        "wording": text_of(form, language).pk,
        "email": ADDRESS,
        "tick": "yes",
    }
    return {name: value for name, value in (usual | given).items() if value is not None}


def hidden(response, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())[1]


def address_of(form: ConsentForm) -> str:
    return reverse("opt_in", args=[form.key])


def empty() -> None:
    """Remove what a transactional test committed; the triggers would refuse it."""
    triggers.remove(connection)
    for model in (Letter, MailedLink, AskTally, ConsentState):
        model.objects.all().delete()
    ConsentEntry.objects.all()._raw_delete("default")
    ConsentForm.objects.all().delete()
    for table in triggers.TABLES[1:]:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    triggers.install(connection)
