"""What customers agreed to: purposes, the texts they read, and the ledger.

The ledger and the wordings are insert-only; triggers in the database see to it (triggers.py).
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.chain import Fact
from customers.consent import REASONS, Actor, Grade, State
from customers.dosing import Outcome
from customers.models.people import Channel, Customer

HASH_LENGTH = 64


class PurposeKind(models.TextChoices):
    """What a purpose is about; what stops marketing stops the marketing kinds."""

    MARKETING = "marketing", _("Marketing messages")
    PROFILING = "profiling", _("Personal content")
    SURVEY = "survey", _("Asking for an opinion")
    TRACKING = "tracking", _("Following who opens and clicks")
    SHARING = "sharing", _("Sharing with others")
    SERVICE = "service", _("Messages that belong to an order")

    @property
    def is_marketing(self) -> bool:
        """Whether an objection to marketing stops it: marketing and the profiling for it."""
        return self not in {PurposeKind.SURVEY, PurposeKind.SERVICE}

    @property
    def needs_consent(self) -> bool:
        """Whether anybody has to say yes: an invoice or a one-time code is part of the order."""
        return self is not PurposeKind.SERVICE


def one_of(field: str, choices: Iterable[str], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": [str(one) for one in choices]}), name=name
    )


class Purpose(models.Model):
    """One thing customers can permit, with a tick of its own. Archived, never deleted."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    name_nl = models.CharField(_("name in Dutch"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80)
    kind = models.CharField(_("kind"), max_length=20, choices=PurposeKind)
    # Keys of Channel on which it is asked and used.
    channels = models.JSONField(_("channels"), default=list)
    valid_days = models.PositiveSmallIntegerField(_("valid for, in days"), default=730)
    minimum_age = models.PositiveSmallIntegerField(_("minimum age"), default=16)
    minimum_grade = models.CharField(
        _("weakest proof"), max_length=1, choices=[(g, g) for g in Grade], default=Grade.C
    )
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    class Meta:
        verbose_name = _("purpose")
        verbose_name_plural = _("purposes")
        constraints = [
            one_of("kind", PurposeKind, "purpose_kind_known"),
            one_of("minimum_grade", Grade, "purpose_grade_known"),
            models.CheckConstraint(
                condition=models.Q(valid_days__gte=1, valid_days__lte=3650),
                name="purpose_valid_for_a_while",
            ),
            models.CheckConstraint(condition=~models.Q(key=""), name="purpose_key_not_empty"),
        ]

    def __str__(self) -> str:
        return self.key

    def name_in(self, language: str) -> str:
        """Return how it is called in Dutch, or in English for that language."""
        return self.name_en if language.startswith("en") else self.name_nl


class Change(models.TextChoices):
    """What a new wording changes against the one before it."""

    EDITORIAL = "editorial", _("Only the words")
    MATERIAL = "material", _("What is done: earlier permissions no longer count")


class WordingQuerySet(models.QuerySet["Wording"]):
    def published(self, now: datetime) -> "WordingQuerySet":
        """Keep our own texts that are published, the newest version first."""
        # Texts below zero came in with an import; what they say was asked elsewhere.
        return self.filter(version__gte=1, published_at__lte=now).order_by("-version")


def current_scope(purpose: str, now: datetime) -> models.Subquery:
    """Return the hash of what is done now for the purpose in a column of an outer query."""
    texts = Wording.objects.published(now).filter(purpose=models.OuterRef(purpose))
    return models.Subquery(texts.values("scope_hash")[:1])


class Wording(models.Model):
    """The exact text of a purpose in a language, as customers saw it from `published_at` on.

    Insert-only. The texts of one version are published together in all languages.

    A text that was shown elsewhere and came in with an import has a number below zero, so that the
    highest number is always one of ours: it proves what was agreed to and is never asked again.
    Its `details` hold the exact text, its language is "und" (not known), and `published_at` is the
    beginning of the first year from which a permission on it was imported (docs/decisions/0014).
    """

    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="wordings")
    version = models.IntegerField(_("version"))
    language = models.CharField(_("language"), max_length=10)
    label = models.CharField(_("text beside the box"), max_length=200)
    helper = models.CharField(_("line below it"), max_length=300)
    details = models.TextField(_("details"), blank=True)
    controller = models.CharField(_("who asks"), max_length=200)
    data_types = models.CharField(_("data used"), max_length=300, blank=True)
    recipients = models.CharField(_("who receives them"), max_length=300, blank=True)
    retention = models.CharField(_("how long they are kept"), max_length=300, blank=True)
    way_out = models.CharField(_("how to take it back"), max_length=300)
    # At most so many messages in so many days are promised; dosing keeps the promise.
    promised_messages = models.PositiveSmallIntegerField(null=True, blank=True)
    promised_days = models.PositiveSmallIntegerField(null=True, blank=True)
    change = models.CharField(_("what changes"), max_length=10, choices=Change)
    # Of what is done, not of how it is said: equal in all languages and editorial versions.
    scope_hash = models.CharField(max_length=HASH_LENGTH, editable=False)
    text_hash = models.CharField(max_length=HASH_LENGTH, editable=False)
    approved_by = models.CharField(_("approved by"), max_length=150)
    published_at = models.DateTimeField(_("published at"))

    objects = WordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "version", "language"], name="wording_one_per_language"
            ),
            one_of("change", Change, "wording_change_known"),
            # What others once asked changes nothing about what is done here.
            models.CheckConstraint(
                condition=models.Q(version__gte=1)
                | models.Q(version__lt=0, change=Change.EDITORIAL) & ~models.Q(details=""),
                name="wording_numbered",
            ),
            models.CheckConstraint(
                condition=~models.Q(label="")
                & ~models.Q(helper="")
                & ~models.Q(way_out="")
                & ~models.Q(controller="")
                & ~models.Q(approved_by=""),
                name="wording_complete",
            ),
            models.CheckConstraint(
                condition=models.Q(promised_messages__isnull=True, promised_days__isnull=True)
                | models.Q(
                    promised_messages__isnull=False,
                    promised_days__isnull=False,
                    promised_messages__gte=1,
                    promised_days__gte=1,
                ),
                name="wording_promise_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose_id} v{self.version} {self.language}"

    @property
    def is_imported(self) -> bool:
        """Whether it was shown elsewhere and came in with an import."""
        return self.version < 0

    @property
    def facts(self) -> dict[str, Fact]:
        """All of it but its number, for its hash."""
        left_out = {"id", "text_hash"}
        names = (field.attname for field in self._meta.concrete_fields)
        return {name: getattr(self, name) for name in names if name not in left_out}


class ConsentEntry(models.Model):
    """One line of the ledger. Insert-only; `id` is the order in which the server wrote them."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="consents")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    state = models.CharField(_("state"), max_length=12, choices=[(s, s) for s in State])
    # When the customer acted, and when the server wrote it down.
    occurred_at = models.DateTimeField(_("occurred at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    address_hash = models.CharField(max_length=HASH_LENGTH, blank=True, editable=False)
    actor = models.CharField(_("caused by"), max_length=10, choices=[(a, a) for a in Actor])
    # The id of the colleague who relayed it, never a name.
    actor_id = models.CharField(max_length=40, blank=True)
    method = models.CharField(_("how"), max_length=40)
    # The form, mail, till or file where it happened.
    place = models.CharField(_("where"), max_length=100, blank=True)
    wording = models.ForeignKey(Wording, on_delete=models.PROTECT, null=True, blank=True)
    # Of the text in Evidence: that can be erased, the ledger cannot.
    evidence_hash = models.CharField(max_length=HASH_LENGTH, blank=True, editable=False)
    grade = models.CharField(_("proof"), max_length=1, choices=[(g, g) for g in Grade])
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    old_enough = models.BooleanField(_("said to be old enough"), null=True, blank=True)
    caused_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)
    previous_hash = models.CharField(max_length=HASH_LENGTH, editable=False)
    hash = models.CharField(max_length=HASH_LENGTH, unique=True, editable=False)

    class Meta:
        verbose_name = _("consent entry")
        verbose_name_plural = _("consent entries")
        # What was said in a period, out of years of it.
        indexes = [models.Index(fields=["state", "occurred_at"], name="consententry_when")]
        constraints = [
            # Two writers at once cannot both follow the same entry.
            models.UniqueConstraint(
                fields=["customer", "previous_hash"], name="consententry_one_chain"
            ),
            one_of("state", State, "consententry_state_known"),
            one_of("actor", Actor, "consententry_actor_known"),
            one_of("grade", Grade, "consententry_grade_known"),
            one_of("channel", Channel, "consententry_channel_known"),
            # A yes has an end, an address and a text. It comes from the customer, or from an
            # import with evidence.
            models.CheckConstraint(
                condition=~models.Q(state__in=[State.GIVEN, State.RENEWED])
                | models.Q(valid_until__isnull=False, wording__isnull=False)
                & ~models.Q(address_hash="")
                & (
                    models.Q(actor=Actor.CUSTOMER, grade__in=[Grade.A, Grade.B])
                    | models.Q(state=State.GIVEN, actor=Actor.IMPORT, grade=Grade.C)
                    & ~models.Q(evidence_hash="")
                ),
                name="consententry_yes_is_proven",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=State.SOFT)
                | models.Q(actor=Actor.IMPORT, channel__in=["email", "phone"])
                & ~models.Q(evidence_hash="")
                & ~models.Q(address_hash=""),
                name="consententry_soft_is_a_sale",
            ),
            # Who relays says why.
            models.CheckConstraint(
                condition=~models.Q(actor=Actor.ADMIN)
                | (~models.Q(actor_id="") & ~models.Q(evidence_hash="")),
                name="consententry_admin_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.purpose_id} {self.channel} {self.state}"


class Evidence(models.Model):
    """What proves an entry, in words: a colleague's reason, the facts of a sale, a line of a file.

    It may name people, so it is not in the ledger. The ledger has its hash, taken with the salt;
    without the salt the hash tells nothing.
    """

    entry = models.OneToOneField(ConsentEntry, on_delete=models.PROTECT, related_name="evidence")
    text = models.TextField(_("evidence"))
    salt = models.CharField(max_length=32, editable=False)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("pieces of evidence")
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="evidence_says_something")
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}"


class ConsentState(models.Model):
    """Where a customer stands: the last entry per purpose and channel. Made from the ledger."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="permissions")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    state = models.CharField(_("state"), max_length=12, choices=[(s, s) for s in State])
    entry = models.ForeignKey(ConsentEntry, on_delete=models.PROTECT)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    class Meta:
        verbose_name = _("state of permission")
        verbose_name_plural = _("states of permission")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "purpose", "channel"], name="consentstate_one"
            ),
            one_of("state", State, "consentstate_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["purpose", "channel", "state", "valid_until"], name="consentstate_who"
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.purpose_id} {self.channel} {self.state}"


class SuppressionReason(models.TextChoices):
    """Why an address must not be written to."""

    OBJECTION = "objection", _("Objection to marketing")
    COMPLAINT = "complaint", _("Marked as unwanted")
    ERASURE = "erasure", _("Erased at the customer's request")
    BOUNCE = "bounce", _("The address does not exist")


class Suppression(models.Model):
    """An address that must not be written to, as a keyed hash; it outlives the customer."""

    address_hash = models.CharField(max_length=HASH_LENGTH, editable=False)
    # A bounce stops everything; the others marketing, never an invoice.
    everything = models.BooleanField(_("stops service mail too"), default=False)
    reason = models.CharField(_("reason"), max_length=10, choices=SuppressionReason)
    created_at = models.DateTimeField(_("since"))
    review_at = models.DateTimeField(_("look again at"), null=True, blank=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [
            models.UniqueConstraint(
                fields=["address_hash", "reason"], name="suppression_one_per_reason"
            ),
            one_of("reason", SuppressionReason, "suppression_reason_known"),
            models.CheckConstraint(
                condition=~models.Q(address_hash=""), name="suppression_of_an_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.address_hash[:8]}"


class LedgerCheckpoint(models.Model):
    """What the ledger stood at, signed: without it a removed tail would not show.

    It covers what was recorded up to `until`, a little before it was made, so that whatever was
    still being written then is not missing from it.
    """

    made_at = models.DateTimeField(_("made at"), unique=True)
    until = models.DateTimeField(_("covers what was recorded until"))
    entries = models.PositiveBigIntegerField(_("entries"))
    customers = models.PositiveBigIntegerField(_("customers"))
    root = models.CharField(max_length=HASH_LENGTH, editable=False)
    signature = models.CharField(max_length=HASH_LENGTH, editable=False)

    class Meta:
        verbose_name = _("checkpoint of the ledger")
        verbose_name_plural = _("checkpoints of the ledger")

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d} {self.entries}"


class LedgerCheck(models.Model):
    """What one verification of the whole ledger found."""

    checked_at = models.DateTimeField(_("checked at"))
    entries = models.PositiveBigIntegerField(_("entries"))
    # A key of verification.FINDINGS, empty if all is well, and the row it is about.
    finding = models.CharField(_("finding"), max_length=40, blank=True)
    row = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("check of the ledger")
        verbose_name_plural = _("checks of the ledger")

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M} {self.finding}"


class Decision(models.Model):
    """Whether a customer might be reached at the moment it came to it, and why (not).

    Written inside the claim, for every yes and every no: the evidence that this message had this
    basis. A count of days deletes it (docs/privacy.md), an erasure at once.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="decisions")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    allowed = models.BooleanField(_("allowed"))
    # A key of consent.REASONS, and the line of the ledger it rests on.
    reason = models.CharField(_("reason"), max_length=20)
    entry = models.ForeignKey(ConsentEntry, on_delete=models.PROTECT, null=True, blank=True)
    # What it would have been, and what dose made of it: a dosing.Outcome, and if it was a no the
    # first dosing.Code against it, the rule that says so, and from when on it may be.
    kind = models.CharField(_("kind"), max_length=20, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=[(o, o) for o in Outcome])
    code = models.CharField(_("stopped by"), max_length=30, blank=True)
    rule = models.CharField(_("rule"), max_length=150, blank=True)
    next_allowed_at = models.DateTimeField(_("possible from"), null=True, blank=True)
    # What asked: a mailing, an invitation, another system; an id, never a name.
    asker = models.CharField(_("asked by"), max_length=60)
    decided_at = models.DateTimeField(_("decided at"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            models.Index(fields=["customer", "decided_at"], name="decision_of_customer"),
            # What was refused in a period, and why.
            models.Index(fields=["decided_at", "code"], name="decision_when"),
        ]
        constraints = [
            one_of("channel", Channel, "decision_channel_known"),
            one_of("reason", REASONS, "decision_reason_known"),
            models.CheckConstraint(
                condition=models.Q(allowed=True, outcome__in=[Outcome.ALLOW, Outcome.EXEMPT])
                | models.Q(allowed=False, outcome__in=[Outcome.DENY, Outcome.DEFER]),
                name="decision_outcome_fits",
            ),
            models.CheckConstraint(condition=~models.Q(asker=""), name="decision_of_an_asker"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.reason}"
