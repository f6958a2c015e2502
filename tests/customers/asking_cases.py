"""Rows of forms, letters, links, requests and keys that keep each rule of the database, or not."""

from customers.models import (
    AccessLog,
    ApiKey,
    AskTally,
    ConsentForm,
    Customer,
    CustomerMerge,
    DataRequest,
    Erasure,
    Invalidation,
    Letter,
    MailedLink,
    WordingDraft,
)
from tests.constraints import Case, again
from tests.makers import NOW, TODAY, make_customer, make_purpose, make_wording, stored

HASH = "a" * 64


def a_form(**given) -> ConsentForm:
    if "first" not in given:
        given["first"] = make_purpose()
    return ConsentForm(**{"key": "page", "name": "Page", "created_at": NOW} | given)


def a_tally(**given) -> AskTally:
    wording = make_wording()
    return AskTally(**{"form": stored(a_form()), "wording": wording, "on": TODAY} | given)


def second_tally() -> AskTally:
    first = stored(a_tally())
    return AskTally(form=first.form, wording=first.wording, on=first.on)


def a_draft(**given) -> WordingDraft:
    usual = {"purpose": make_purpose(), "texts": {"nl": {"label": "Ja"}}, "updated_at": NOW}
    return WordingDraft(**usual | given)


def second_draft() -> WordingDraft:
    return a_draft(purpose=stored(a_draft()).purpose)


def a_link(**given) -> MailedLink:
    usual = {"action": "open", "address_hash": HASH, "asked_at": NOW, "expires_at": NOW}
    return MailedLink(**usual | {"customer": make_customer()} | given)


def a_letter(**given) -> Letter:
    usual = {"kind": "open", "address": "noor@example.org", "address_hash": HASH, "language": "nl"}
    times = {"queued_at": NOW, "due_at": NOW}
    return Letter(**usual | times | {"customer": make_customer()} | given)


def second_letter() -> Letter:
    first = stored(a_letter(link=stored(a_link())))
    return a_letter(link=first.link)


def a_request(**given) -> DataRequest:
    usual = {"kind": "access", "source": "staff", "received_at": NOW, "due_on": TODAY}
    return DataRequest(**usual | {"customer": make_customer()} | given)


def refused(**given) -> DataRequest:
    facts = {"state": "refused", "finished_at": NOW, "answer": "Asked twice."}
    return a_request(**facts | given)


def an_erasure(**given) -> Erasure:
    usual = {
        "reason": "asked",
        "requested_at": NOW,
        "plan": {"purchases": 1},
        "proof": {"letters": 0},
    }
    return Erasure(**usual | {"customer": make_customer()} | given)


def a_view(**given) -> AccessLog:
    usual = {"kind": "page", "viewed_at": NOW, "viewer": "7"}
    return AccessLog(**usual | {"customer": make_customer()} | given)


def an_invalidation(**given) -> Invalidation:
    usual = {"place": "form:page", "reason": "It was ticked beforehand."}
    return Invalidation(**usual | {"proposed_by": "7", "proposed_at": NOW} | given)


def a_merge(survivor: Customer | None = None, **given) -> CustomerMerge:
    usual = {"survivor": survivor or make_customer(), "reason": "One person, two accounts."}
    outcome = [{"purpose": "email_marketing", "result": "withdrawn"}]
    facts = {"merged_by": "7", "merged_at": NOW, "outcome": outcome}
    if "absorbed" not in given:
        given["absorbed"] = make_customer()
    return CustomerMerge(**usual | facts | given)


def with_itself() -> CustomerMerge:
    one = make_customer()
    return a_merge(one, absorbed=one)


def merged_twice() -> CustomerMerge:
    return a_merge(absorbed=stored(a_merge()).absorbed)


def a_key(**given) -> ApiKey:
    usual = {"name": "Web shop", "digest": HASH, "hint": "ci_abc", "scopes": ["consent:read"]}
    return ApiKey(**usual | {"created_at": NOW, "created_by": "7", "expires_at": NOW} | given)


def asked_twice_the_same() -> ConsentForm:
    purpose = make_purpose()
    return a_form(first=purpose, second=purpose)


CASES = [
    Case("wordingdraft.purpose", a_draft, second_draft),
    Case("wordingdraft_change_known", a_draft, lambda: a_draft(change="small")),
    Case("consentform.key", a_form, lambda: again(a_form)),
    Case("consentform_key_not_empty", a_form, lambda: a_form(key="")),
    Case("consentform_name_not_empty", a_form, lambda: a_form(name="")),
    Case("consentform_channel_known", a_form, lambda: a_form(channel="pigeon")),
    Case("consentform_two_questions", lambda: a_form(second=make_purpose()), asked_twice_the_same),
    Case("asktally_one_per_day", a_tally, second_tally),
    Case("mailedlink.digest", a_link, lambda: again(lambda: a_link(digest=HASH))),
    Case("mailedlink_action_known", a_link, lambda: a_link(action="give")),
    Case("mailedlink_channel_known", a_link, lambda: a_link(channel="pigeon")),
    Case("mailedlink_to_an_address", a_link, lambda: a_link(address_hash="")),
    Case(
        "mailedlink_used_was_sent",
        lambda: a_link(digest=HASH, spent_at=NOW),
        lambda: a_link(spent_at=NOW),
    ),
    Case("letter.link", lambda: a_letter(link=stored(a_link())), second_letter),
    Case("letter_kind_known", a_letter, lambda: a_letter(kind="offer")),
    Case("letter_state_known", a_letter, lambda: a_letter(state="lost")),
    Case("letter_to_an_address", a_letter, lambda: a_letter(address_hash="")),
    Case(
        "letter_waiting_has_an_address",
        lambda: a_letter(state="sent", address=""),
        lambda: a_letter(address=""),
    ),
    Case("datarequest_kind_known", a_request, lambda: a_request(kind="refund")),
    Case("datarequest_source_known", a_request, lambda: a_request(source="gossip")),
    Case(
        "datarequest_state_known",
        a_request,
        lambda: a_request(state="lost", finished_at=NOW),
    ),
    Case(
        "datarequest_finished_or_open",
        lambda: a_request(state="done", finished_at=NOW),
        lambda: a_request(state="done"),
    ),
    Case("datarequest_finished_or_open", a_request, lambda: a_request(finished_at=NOW)),
    Case("datarequest_refusal_says_why", refused, lambda: refused(answer="")),
    Case("erasure_says_why", an_erasure, lambda: an_erasure(reason="")),
    Case("accesslog_kind_known", a_view, lambda: a_view(kind="gossip")),
    Case("accesslog_of_somebody", a_view, lambda: a_view(viewer="")),
    Case("invalidation_says_why", an_invalidation, lambda: an_invalidation(reason="")),
    Case("invalidation_of_a_batch", an_invalidation, lambda: an_invalidation(place="")),
    Case(
        "invalidation_done_was_approved",
        lambda: an_invalidation(approved_at=NOW, done_at=NOW),
        lambda: an_invalidation(done_at=NOW),
    ),
    Case("customermerge.absorbed", a_merge, merged_twice),
    Case("customermerge_says_why", a_merge, lambda: a_merge(reason="")),
    Case("customermerge_of_two", a_merge, with_itself),
    Case("apikey.digest", a_key, lambda: again(a_key)),
    Case("apikey_name_not_empty", a_key, lambda: a_key(name="")),
    Case("apikey_digest_not_empty", a_key, lambda: a_key(digest="")),
]
