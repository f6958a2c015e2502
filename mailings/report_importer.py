"""What a mail tool did with a send list: which mails went, bounced, or came back as a no.

A row is about one contact of a list. What was sent counts at its own moment; who unsubscribed or
complained in the other tool is unsubscribed here; an address that does not exist is never written
to again. The same report again changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from customers import cells
from customers.addresses import address_hashes
from customers.consent import Actor, Method
from customers.holds import lock_customers
from customers.imports import Fields, Importer, Outcome, Refused
from customers.models import Contact, Customer, SuppressionReason
from customers.outcomes import Answered, fail_contacts, release_contacts, report_sent
from customers.suppressions import Stop, suppress
from customers.withdrawals import Means, stands, withdraw
from mailings.asked import invite
from mailings.lists import finish_reported
from mailings.models import Mailing

SENT, BOUNCED, UNSUBSCRIBED, COMPLAINED, NOT_SENT = OUTCOMES = (
    "sent", "bounced", "unsubscribed", "complained", "not_sent",
)  # fmt: skip
# Clocks of other systems differ by a little.
SAME_TIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ReportRow:
    contact: str
    outcome: str
    at: datetime | None


class ReportImporter(Importer):
    """The report of a mail tool, about contacts of send lists."""

    kind = "reports"
    fields = ("contact", "outcome", "at")
    required = ("contact", "outcome")

    def parse(self, fields: Fields) -> ReportRow:
        contact = fields.need("contact", partial(cells.text, max_length=200))
        outcome = fields.need("outcome", partial(cells.choice, allowed=OUTCOMES))
        at = fields.get("at", partial(cells.moment, zone=self.options.zone))
        if at and at > self.options.present():
            raise Refused(
                "at", f"{at:%Y-%m-%d %H:%M} UTC is still to come; correct the moment, or leave it"
            )
        return ReportRow(contact, outcome, at)

    def store(self, records: Sequence[ReportRow]) -> list[Outcome | Refused]:
        contacts = _contacts(row.contact for row in records)
        checked = [self._checked(row, contacts) for row in records]
        good = [one for one in checked if not isinstance(one, Refused)]
        changed: set[str] = set()
        for mailing, mine in self._by_mailing(good):
            changed |= self._record(mailing, mine)
        return [
            one
            if isinstance(one, Refused)
            else (Outcome.UPDATED if one[0].contact in changed else Outcome.UNCHANGED)
            for one in checked
        ]

    def _checked(
        self, row: ReportRow, contacts: Mapping[str, Contact]
    ) -> tuple[ReportRow, Contact] | Refused:
        contact = contacts.get(row.contact)
        if contact is None:
            return Refused(
                "contact",
                f"{cells.shown(row.contact)} is on no send list; give the column "
                "“contact” of the list as it was",
            )
        if row.at and row.at < contact.reserved_at - SAME_TIME:
            return Refused(
                "at",
                f"{row.at:%Y-%m-%d %H:%M} UTC is before the list was made; correct the moment",
            )
        return row, contact

    def _by_mailing(
        self, rows: Iterable[tuple[ReportRow, Contact]]
    ) -> Iterable[tuple[Mailing, list[tuple[ReportRow, Contact]]]]:
        by_source: dict[str, list[tuple[ReportRow, Contact]]] = defaultdict(list)
        for row, contact in rows:
            by_source[contact.source].append((row, contact))
        ids = [int(source.removeprefix("mailing:")) for source in by_source]
        mailings = Mailing.objects.select_related("purpose", "touchpoint").in_bulk(ids)
        return [(one, by_source[one.source]) for one in mailings.values()]

    def _record(self, mailing: Mailing, rows: list[tuple[ReportRow, Contact]]) -> set[str]:
        """Record what became of contacts of one list; return which of them that changed."""
        now = self.options.present()
        lock_customers({contact.customer_id for _, contact in rows})
        before = {contact.request_id: contact.status for _, contact in rows}
        of = {name: [pair for pair in rows if pair[0].outcome == name] for name in OUTCOMES}
        went = [*of[SENT], *of[UNSUBSCRIBED], *of[COMPLAINED]]
        sent = {contact.request_id: _moment(row, contact, now) for row, contact in went}
        answers = {
            **report_sent(sent=sent, source=mailing.source, now=now),
            **fail_contacts(requests=_requests(of[BOUNCED]), source=mailing.source, now=now),
            **release_contacts(requests=_requests(of[NOT_SENT]), source=mailing.source, now=now),
        }
        invite(mailing, [contact for _, contact in went], sent)
        changed = {
            request
            for request, answer in answers.items()
            if answer != Answered.WAS_SENT and before[request] != answer
        }
        changed |= self._stop(mailing, of, now)
        Mailing.objects.filter(pk=mailing.pk).update(reported_at=now)
        finish_reported(mailing, now)
        return changed

    def _stop(
        self, mailing: Mailing, of: Mapping[str, list[tuple[ReportRow, Contact]]], now: datetime
    ) -> set[str]:
        """Unsubscribe who said so in the other tool, and stop addresses; return whose changed."""
        changed = set()
        means = Means(
            method=Method.IMPORT, place=mailing.source, actor=Actor.IMPORT, actor_id=self.options.by
        )
        for _, contact in [*of[UNSUBSCRIBED], *of[COMPLAINED]]:
            who, purpose = contact.customer, mailing.purpose
            if stands(customer=who, purpose=purpose, channel="email"):
                withdraw(customer=who, purpose=purpose, channel="email", means=means, now=now)
                changed.add(contact.request_id)
        for name, stop in (
            (BOUNCED, Stop(reason=SuppressionReason.BOUNCE, everything=True)),
            (COMPLAINED, Stop(reason=SuppressionReason.COMPLAINT)),
        ):
            for _, contact in of[name]:
                if suppress(hashes=_hashes(contact.customer), stop=stop, now=now):
                    changed.add(contact.request_id)
        return changed


def _contacts(requests: Iterable[str]) -> dict[str, Contact]:
    rows = Contact.objects.filter(request_id__in=set(requests), source__startswith="mailing:")
    return {one.request_id: one for one in rows.select_related("customer", "category")}


def _requests(rows: Iterable[tuple[ReportRow, Contact]]) -> list[str]:
    return [contact.request_id for _, contact in rows]


def _moment(row: ReportRow, contact: Contact, now: datetime) -> datetime:
    """When it went: as the report says, else when it was planned, and never still to come."""
    return row.at or min(contact.from_at, now)


def _hashes(customer: Customer) -> list[str]:
    return list(address_hashes(customer.email))
