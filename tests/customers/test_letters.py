"""Letters: sent once by a real mail server, never twice, and never to a mailbox that has enough."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from customers.addresses import address_hash
from customers.letters import LONGEST_CLAIM, MOST_ATTEMPTS, Sender, any_due, may_write, queue_letter
from customers.letters import send_due as send
from customers.models import Letter, LetterKind, LetterState, LinkAction, MailedLink
from customers.tokens import secret_digest
from tests.makers import NOW, make_customer
from tests.webserver import free_port

pytestmark = pytest.mark.django_db

SENDER = Sender("Lindehuis", "Lindehuis <post@lindehuis.example>")
VALUES = {"labels": "Ja, mail mij tips.", "answer": "Dat is gedaan.", "kind": "access"}


class Mailbox:
    """Takes what comes in, or answers what a test tells it to."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            self.taken.append(envelope)
        return self.answer


@pytest.fixture
def mailbox(settings) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    yield box
    controller.stop()


def a_letter(now=NOW, **given) -> Letter:
    customer = given.pop("customer", None) or make_customer(email="noor@example.org")
    link = MailedLink.objects.create(
        action=LinkAction.OPEN,
        customer=customer,
        address_hash=address_hash(customer.email),
        asked_at=now,
        expires_at=now + timedelta(days=1),
    )
    return queue_letter(kind=LetterKind.OPEN, customer=customer, now=now, link=link, **given)


def states() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("state", flat=True))


def test_a_letter_is_sent_once_and_its_address_forgotten(mailbox):
    letter = a_letter()
    assert any_due(NOW)
    assert send(SENDER, NOW) == 1
    assert send(SENDER, NOW) == 0
    [envelope] = mailbox.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "post@lindehuis.example",
        ["noor@example.org"],
    )
    letter.refresh_from_db()
    assert (letter.state, letter.address, letter.attempts) == (LetterState.SENT, "", 1)
    assert letter.address_hash == address_hash("noor@example.org")
    assert not any_due(NOW)


def test_the_token_is_made_while_it_is_sent_and_only_its_hash_is_kept(mailbox, settings):
    settings.BASE_URL = "https://insights.example"
    letter = a_letter()
    assert letter.link.digest is None
    send(SENDER, NOW)
    text = mailbox.taken[0].content.decode().replace("=\r\n", "").replace("=3D", "=")
    [token] = re.findall(r"https://insights\.example/preferences/([\w-]{43})/\?lang=nl\s", text)
    letter.link.refresh_from_db()
    assert letter.link.digest == secret_digest(token)
    assert b"Auto-Submitted: auto-generated" in mailbox.taken[0].content


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize(("language", "formal"), [("nl", False), ("nl", True), ("en", False)])
def test_case_23_no_letter_follows_who_reads_it(kind, language, formal, settings, mailoutbox):
    """Plain text in both languages: no picture, and no address but the one its button is behind."""
    settings.BASE_URL = "https://insights.example"
    customer = make_customer(email="noor@example.org", language=language)
    needs_link = kind in {LetterKind.OPEN, LetterKind.CONFIRM}
    letter = (
        a_letter(customer=customer, values=VALUES)
        if needs_link
        else queue_letter(kind=kind, customer=customer, now=NOW, values=VALUES)
    )
    Letter.objects.filter(pk=letter.pk).update(kind=kind)
    assert send(Sender("Lindehuis", SENDER.header, formal), NOW) == 1
    [message] = mailoutbox
    assert message.content_subtype == "plain"
    assert (
        message.alternatives == message.attachments == []
        if hasattr(message, "alternatives")
        else True
    )
    links = re.findall(r"\S+://\S+", message.body)
    assert len(links) == needs_link
    assert all(link.startswith("https://insights.example/") for link in links)
    assert "<" not in message.body
    assert "Lindehuis" in message.body
    assert "\n" not in message.subject
    assert message.subject.strip() == message.subject != ""


def test_what_the_server_cannot_take_now_is_tried_again_later_and_then_given_up(mailbox):
    mailbox.answer = "451 later"
    letter, now = a_letter(), NOW
    for attempt in range(1, MOST_ATTEMPTS):
        assert send(SENDER, now) == 0
        letter.refresh_from_db()
        assert (letter.state, letter.attempts) == (LetterState.FAILED_TEMP, attempt)
        assert letter.due_at == now + timedelta(minutes=5 * 2 ** (attempt - 1))
        assert not any_due(letter.due_at - timedelta(seconds=1))
        now = letter.due_at
    send(SENDER, now)
    letter.refresh_from_db()
    assert (letter.state, letter.address) == (LetterState.FAILED_PERM, "")


def test_what_the_server_refuses_is_not_tried_again(mailbox):
    mailbox.answer = "554 no"
    a_letter()
    assert send(SENDER, NOW) == 0
    assert states() == [LetterState.FAILED_PERM]


def test_a_server_that_is_not_there_keeps_the_letter(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    a_letter()
    assert send(SENDER, NOW) == 0
    assert states() == [LetterState.FAILED_TEMP]


def test_what_was_claimed_and_never_finished_is_unknown_and_not_sent_again(mailbox):
    letter = a_letter()
    Letter.objects.filter(pk=letter.pk).update(state=LetterState.CLAIMED, claimed_at=NOW)
    assert not any_due(NOW + LONGEST_CLAIM - timedelta(seconds=1))
    assert any_due(NOW + LONGEST_CLAIM)
    assert send(SENDER, NOW + LONGEST_CLAIM) == 0
    assert mailbox.taken == []
    letter.refresh_from_db()
    assert (letter.state, letter.address) == (LetterState.UNKNOWN, "")


def test_one_letter_a_day_and_three_in_all_until_a_link_is_used():
    def may(at) -> bool:
        return may_write(kind=LetterKind.OPEN, address="Noor@example.org", now=at)

    noor = make_customer(email="noor@example.org")
    assert may(NOW)
    for day in range(3):
        at = NOW + timedelta(days=day)
        assert may(at)
        letter = a_letter(now=at, customer=noor)
        assert not may(at + timedelta(hours=23))
    assert not may(NOW + timedelta(days=10))
    assert may_write(kind=LetterKind.CONFIRM, address="noor@example.org", now=NOW)
    assert may_write(kind=LetterKind.OPEN, address="other@example.org", now=NOW)
    MailedLink.objects.filter(pk=letter.link_id).update(digest="a" * 64, spent_at=NOW)
    assert may(NOW + timedelta(days=10))


def test_letters_that_were_ignored_are_forgotten_after_ninety_days():
    noor = make_customer(email="noor@example.org")
    for day in range(3):
        a_letter(now=NOW + timedelta(days=day), customer=noor)
    kept = {"kind": LetterKind.OPEN, "address": "noor@example.org"}
    assert not may_write(**kept, now=NOW + timedelta(days=90) - timedelta(seconds=1))
    assert may_write(**kept, now=NOW + timedelta(days=90))
    # Who holds a link of ours is not kept out by strangers, and still gets one a day.
    assert may_write(**kept, now=NOW + timedelta(days=5), most=None)
    assert not may_write(**kept, now=NOW + timedelta(days=2, hours=1), most=None)


@pytest.mark.parametrize(
    "address", ["noor+shop@example.org", "NOOR+a+b@example.org", "noor@EXAMPLE.org"]
)
def test_one_mailbox_has_one_limit_however_its_address_is_written(address):
    a_letter(now=NOW, customer=make_customer(email="noor@example.org"))
    assert not may_write(kind=LetterKind.OPEN, address=address, now=NOW)
    assert may_write(kind=LetterKind.OPEN, address="noortje@example.org", now=NOW)


@pytest.mark.parametrize("address", ["a@b.example\nBcc: x@y.example", f"a@{'ü' * 80}.example"])
def test_a_letter_that_cannot_be_made_keeps_no_other_waiting(mailbox, address, caplog):
    bad = a_letter(customer=make_customer(email="odd@example.org"))
    Letter.objects.filter(pk=bad.pk).update(address=address)
    a_letter(customer=make_customer(email="noor@example.org"))
    assert send(SENDER, NOW) == 1
    assert states() == ["failed_perm", "sent"]
    assert len(mailbox.taken) == 1
    assert "example" not in caplog.text
