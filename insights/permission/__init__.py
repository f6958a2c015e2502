"""What the page about permission shows: from a selection to everything that stands on it.

Shares are those of rates.py, calculated by kpis.py; what is read is in facts.py, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from customers import permission_queries as queries
from customers.consent import ALLOWING, State
from customers.models import ConsentEntry, Purpose
from customers.permission_queries import LedgerHealth
from insights.consent_words import STATES, method_name, purpose_name, tone
from insights.dashboard.selection import Selection
from insights.disclosure import is_small
from insights.kpis import MIN_VERDICT
from insights.ledger_words import FINDINGS
from insights.permission.control import ControlPanel, control_panel
from insights.permission.facts import Facts, read, totals
from insights.permission.funnel import FunnelPanel, funnel_panel
from insights.permission.lines import LinesPanel, lines_panel
from insights.permission.rates import OPT_IN, Rate, rate, share
from insights.permission.standing import (
    ExpiringPanel,
    ProofPanel,
    expiring_panel,
    proof_panel,
)
from insights.permission.texts import TextsPanel, texts_panel
from insights.permission.withdrawals import WithdrawalsPanel, regret_rate, withdrawals_panel
from insights.templatetags.numbers import number

LATEST = 6

# The ledger is verified every night: after two without it, something is wrong with the night.
STALE = timedelta(hours=50)


@dataclass(frozen=True)
class Health:
    """The ledger as the headline says it."""

    row: LedgerHealth
    finding: str
    today: bool
    late: bool


@dataclass(frozen=True)
class EntryRow:
    """A line of the ledger in words; whose it is, is for those who look after consent."""

    entry: ConsentEntry
    state: str
    mood: str
    purpose: str
    method: str

    @property
    def is_yes(self) -> bool:
        """Whether there is something to prove: a no needs no proof."""
        return self.entry.state in ALLOWING


@dataclass(frozen=True)
class PermissionPage:
    """Everything on the page. Without a form and without an entry there is nothing but a start."""

    title: str
    selection: Selection
    any_forms: bool
    any_entries: bool
    opt_in: Rate
    regret: Rate
    health: Health | None
    funnel: FunnelPanel
    withdrawals: WithdrawalsPanel
    lines: LinesPanel
    texts: TextsPanel
    proof: ProofPanel
    expiring: ExpiringPanel
    control: ControlPanel
    entries: list[EntryRow]

    @property
    def block(self) -> Rate:
        """What the line of filters counts."""
        return self.opt_in

    @property
    def empty(self) -> bool:
        return not self.any_forms and not self.any_entries


def permission(
    selection: Selection,
    purposes: Sequence[Purpose],
    now: datetime,
    *,
    language: str,
    formal: bool,
) -> PermissionPage:
    """Return the whole page for a selection; its filter is the key of a purpose."""
    facts = read(selection, purposes, now)
    opt_in, regret = _opt_in(facts), regret_rate(facts)
    any_forms, any_entries = queries.any_permission()
    return PermissionPage(
        title=_title(facts, opt_in, regret, any_entries=any_entries or any_forms),
        selection=selection,
        any_forms=any_forms,
        any_entries=any_entries,
        opt_in=opt_in,
        regret=regret,
        health=_health(now),
        funnel=funnel_panel(facts, opt_in),
        withdrawals=withdrawals_panel(facts, regret),
        lines=lines_panel(facts),
        texts=texts_panel(facts),
        proof=proof_panel(facts),
        expiring=expiring_panel(facts),
        control=control_panel(selection, language, formal=formal),
        entries=_latest(facts),
    )


def _opt_in(facts: Facts) -> Rate:
    before, now = (
        totals(facts.asked_in(period))
        for period in (facts.selection.compared, facts.selection.period)
    )
    return rate(OPT_IN, share(OPT_IN, before[1], before[0]), share(OPT_IN, now[1], now[0]))


def _health(now: datetime) -> Health | None:
    row = queries.ledger_health()
    if row is None:
        return None
    return Health(
        row=row,
        finding=str(FINDINGS.get(row.finding, row.finding)),
        today=timezone.localdate(row.checked_at) == timezone.localdate(now),
        late=now - row.checked_at > STALE,
    )


def _latest(facts: Facts) -> list[EntryRow]:
    wanted = facts.selection.where.get("purpose")
    chosen = next((one.pk for one in facts.purposes.values() if one.key == wanted), None)
    return [
        EntryRow(
            entry=one,
            state=str(STATES[State(one.state)]),
            mood=tone(one.state),
            purpose=purpose_name(one.purpose),
            method=method_name(one.method),
        )
        for one in queries.latest_entries(LATEST, chosen)
    ]


def _title(facts: Facts, opt_in: Rate, regret: Rate, *, any_entries: bool) -> str:
    """Say how many may be mailed, and what moved for sure."""
    if not any_entries:
        return _("Nobody was asked for permission yet")
    finding = " ".join(part for part in (_mailable(facts), *_moves(opt_in, regret)) if part)
    names = ", ".join(facts.selection.names.values())
    return (
        _("%(filters)s: %(finding)s") % {"filters": names, "finding": finding} if names else finding
    )


def _mailable(facts: Facts) -> str:
    reach = facts.reach
    others = reach.customers - reach.mailable
    if is_small(others) and reach.customers >= MIN_VERDICT:
        return _("Nearly all customers may be mailed.")
    if is_small(reach.customers) or is_small(reach.mailable) or is_small(others):
        return _("Permissions are coming in. How many may be mailed is shown from 5.")
    return _("%(n)s of %(all)s customers may be mailed.") % {
        "n": number(reach.mailable),
        "all": number(reach.customers),
    }


def _moves(opt_in: Rate, regret: Rate) -> list[str]:
    moves = []
    if opt_in.shown and opt_in.went_up:
        moves.append(_("More say yes, and not by chance."))
    elif opt_in.shown and opt_in.went_down:
        moves.append(_("Fewer say yes, and not by chance."))
    elif opt_in.comparable:
        moves.append(_("No demonstrable change in who says yes."))
    if regret.shown and regret.went_up:
        moves.append(_("More take it back within 30 days."))
    elif regret.shown and regret.went_down:
        moves.append(_("Fewer take it back within 30 days."))
    return moves
