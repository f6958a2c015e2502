"""How often customers are contacted: the policy's versions, every contact, and who is left alone.

Type, involvement and kind stand on each contact as they were: yesterday's facts do not change when
today's label does.
"""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.people import Category, Channel, Customer, CustomerType, Involvement
from customers.models.permission import HASH_LENGTH, Purpose, one_of


class ContactKind(models.TextChoices):
    """What a contact is for."""

    PROMOTION = "promotion", _("Promotion")
    INFORMATION = "information", _("Information")
    SERVICE = "service", _("Service message")
    ASK_THUMB = "ask_thumb", _("Thumb asked for")
    ASK_NPS = "ask_nps", _("NPS question")
    ASK_SURVEY = "ask_survey", _("Survey")
    AD = "ad", _("Advertisement")


class DosePolicy(models.Model):
    """One version of the rules. Published once, never changed: see policies.publish_policy."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    published_at = models.DateTimeField(_("in force since"))
    # The name of the colleague; "" for the policy a new shop starts with.
    author = models.CharField(_("by"), max_length=150, blank=True)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    # Quiet hours, the country of the holidays, exempt kinds and points: see dose_documents.py.
    settings = models.JSONField(default=dict)
    # Of the whole document, rules included. Going back to what was once in force repeats one.
    digest = models.CharField(max_length=HASH_LENGTH, editable=False)

    class Meta:
        verbose_name = _("dose policy")
        verbose_name_plural = _("dose policies")
        constraints = [
            models.CheckConstraint(condition=Q(version__gte=1), name="dosepolicy_numbered"),
            models.CheckConstraint(condition=~Q(digest=""), name="dosepolicy_sealed"),
        ]

    def __str__(self) -> str:
        return f"policy {self.version}"


class DoseRule(models.Model):
    """A cell or a ceiling of a policy; an empty field stands for every value."""

    policy = models.ForeignKey(DosePolicy, on_delete=models.PROTECT, related_name="rules")
    is_ceiling = models.BooleanField(_("ceiling"))
    involvement = models.CharField(max_length=10, blank=True)
    customer_type = models.CharField(max_length=20, blank=True)
    channel = models.CharField(max_length=10, blank=True)
    # Of a cell at most one; of a ceiling several, sorted, with commas.
    kinds = models.CharField(max_length=200, blank=True)
    # As dose_documents.py writes them.
    limits = models.JSONField(default=list, blank=True)
    gap_hours = models.PositiveIntegerField(null=True, blank=True)
    per = models.CharField(max_length=10, blank=True)

    class Meta:
        verbose_name = _("dose rule")
        verbose_name_plural = _("dose rules")
        constraints = [
            # No two rules of a policy say something about the same.
            models.UniqueConstraint(
                fields=[
                    "policy",
                    "is_ceiling",
                    "involvement",
                    "customer_type",
                    "channel",
                    "kinds",
                ],
                name="doserule_one_for_each",
            ),
            one_of("involvement", ["", *Involvement.values], "doserule_involvement_known"),
            one_of("customer_type", ["", *CustomerType.values], "doserule_type_known"),
            one_of("channel", ["", *Channel.values], "doserule_channel_known"),
            models.CheckConstraint(
                condition=Q(is_ceiling=True) | Q(kinds__in=["", *ContactKind.values]),
                name="doserule_cell_of_one_kind",
            ),
            models.CheckConstraint(
                condition=Q(is_ceiling=False) | Q(involvement=""),
                name="doserule_ceiling_of_a_person",
            ),
            models.CheckConstraint(
                condition=Q(gap_hours__isnull=True) | Q(gap_hours__gte=1),
                name="doserule_gap_of_an_hour",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.involvement} {self.customer_type} {self.channel}"


class PolicyDraft(models.Model):
    """The next version while somebody works on it; there is one at most."""

    ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONE)
    document = models.JSONField()
    note = models.CharField(_("what changes"), max_length=300, blank=True)
    edited_by = models.CharField(max_length=150)
    edited_at = models.DateTimeField()

    class Meta:
        verbose_name = _("draft of a dose policy")
        verbose_name_plural = _("drafts of a dose policy")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="policydraft_only_one"),
        ]

    def __str__(self) -> str:
        return "draft"


class ContactStatus(models.TextChoices):
    """reserved → sent, released, expired or failed; what was no longer reserved and went all the
    same → sent late. Nothing else.
    """

    RESERVED = "reserved", _("Reserved")
    SENT = "sent", _("Sent")
    RELEASED = "released", _("Given back")
    EXPIRED = "expired", _("Ran out")
    FAILED = "failed", _("Not delivered")
    SENT_LATE = "sent_late", _("Sent too late")


# What was sent counts; what is reserved counts until its lease ends.
DONE = (ContactStatus.SENT, ContactStatus.SENT_LATE)


class ContactQuerySet(models.QuerySet["Contact"]):
    def counting(self, now: datetime) -> "ContactQuerySet":
        """Keep what weighs in the dose. A lease ends by the clock, whoever cleans up or not."""
        return self.filter(
            Q(status__in=DONE) | Q(status=ContactStatus.RESERVED, to_at__gt=now),
        )

    def sent_between(self, start: datetime, end: datetime) -> "ContactQuerySet":
        """Keep what was sent from `start` up to `end`."""
        # What was sent has one moment in all its fields; this one has the index.
        return self.filter(status__in=DONE, to_at__gte=start, to_at__lt=end)


class Contact(models.Model):
    """One touch with a customer: reserved, then sent, given back, run out or failed.

    While reserved it may happen anywhere from `from_at` until `to_at`, the end of its lease; once
    sent both are the moment of sending.
    """

    request_id = models.CharField(_("request"), max_length=200, unique=True)
    # Of what was asked, so that the same request with other words is noticed.
    digest = models.CharField(max_length=HASH_LENGTH, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    kind = models.CharField(_("kind"), max_length=20, choices=ContactKind)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, related_name="contacts"
    )
    # Empty for what came in with a file: there it was not asked.
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True, blank=True)
    points = models.PositiveSmallIntegerField(_("points"))
    from_at = models.DateTimeField(_("from"))
    to_at = models.DateTimeField(_("until"))
    status = models.CharField(_("state"), max_length=10, choices=ContactStatus)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    reserved_at = models.DateTimeField(_("reserved at"))
    # None for what came in with a file.
    policy = models.ForeignKey(DosePolicy, on_delete=models.PROTECT, null=True, blank=True)
    customer_type = models.CharField(max_length=20, choices=CustomerType)
    involvement = models.CharField(max_length=10, choices=Involvement)
    # What sent it: a mailing, an invitation, another system, a file; an id, never a name.
    source = models.CharField(_("from"), max_length=60)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [
            models.Index(fields=["customer", "to_at"], name="contact_of_customer"),
            models.Index(fields=["to_at"], name="contact_when"),
            # What the nightly task looks for.
            models.Index(fields=["to_at"], name="contact_reserved", condition=Q(status="reserved")),
            # What a sender confirms.
            models.Index(fields=["source", "reserved_at"], name="contact_by_source"),
        ]
        constraints = [
            one_of("channel", Channel, "contact_channel_known"),
            one_of("kind", ContactKind, "contact_kind_known"),
            one_of("status", ContactStatus, "contact_status_known"),
            one_of("customer_type", CustomerType, "contact_type_known"),
            one_of("involvement", Involvement, "contact_involvement_known"),
            models.CheckConstraint(condition=~Q(request_id=""), name="contact_of_a_request"),
            models.CheckConstraint(condition=~Q(source=""), name="contact_of_a_source"),
            models.CheckConstraint(condition=Q(from_at__lte=F("to_at")), name="contact_in_order"),
            models.CheckConstraint(
                condition=~Q(status__in=DONE)
                | Q(sent_at__isnull=False, from_at=F("sent_at"), to_at=F("sent_at")),
                name="contact_sent_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(status__in=DONE) | Q(sent_at__isnull=True),
                name="contact_not_sent_has_no_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.channel} {self.kind} {self.status}"

    def counts(self, now: datetime) -> bool:
        """Whether it weighs in the dose; the same as in ContactQuerySet.counting."""
        return self.status in DONE or self.is_leased(now)

    def is_leased(self, now: datetime) -> bool:
        """Whether it is reserved and may still happen."""
        return self.status == ContactStatus.RESERVED and self.to_at > now


class HoldReason(models.TextChoices):
    """Why somebody is left alone for a while."""

    UNHAPPY = "unhappy", _("Unhappy answer")
    COMPLAINT = "complaint", _("Complaint")
    WISH = "wish", _("Asked for quiet")


class HoldQuerySet(models.QuerySet["ContactHold"]):
    def in_force(self, now: datetime) -> "HoldQuerySet":
        return self.filter(
            Q(until__isnull=True) | Q(until__gt=now), created_at__lte=now, released_at__isnull=True
        )


class ContactHold(models.Model):
    """Why a customer is contacted less or not at all, until a moment or until it is lifted."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(_("reason"), max_length=10, choices=HoldReason)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    created_at = models.DateTimeField(_("since"))
    released_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    # Who lifted it: the id of a colleague or what in the system did, never a name.
    released_by = models.CharField(max_length=60, blank=True)
    # What it comes from: an answer, a colleague; an id, never a name.
    source = models.CharField(_("from"), max_length=60)

    objects = HoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            one_of("reason", HoldReason, "contacthold_reason_known"),
            # Being unhappy once does not last for ever.
            models.CheckConstraint(
                condition=~Q(reason="unhappy") | Q(until__isnull=False),
                name="contacthold_unhappy_ends",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("created_at")),
                name="contacthold_lasts",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="contacthold_of_a_source"),
            models.UniqueConstraint(
                fields=["customer", "reason", "source"],
                condition=Q(released_at__isnull=True),
                name="contacthold_one_for_each_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.reason}"

    @property
    def halves(self) -> bool:
        """Whether it lowers the dose; the others stop it."""
        return self.reason == HoldReason.UNHAPPY
