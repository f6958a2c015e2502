"""A message to an audience: for whom it is, when it goes, and how far it is."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Category, ContactKind, Purpose
from feedback.models import Campaign, Touchpoint
from mailings.segments import Segment


class MailingStatus(models.TextChoices):
    """draft → reserving → ready → done; cancelled from anywhere but done."""

    DRAFT = "draft", _("Draft")
    RESERVING = "reserving", _("Being made")
    READY = "ready", _("Ready to send")
    DONE = "done", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")


class Mailing(models.Model):
    """A message by e-mail, sent with a mail tool of the shop's own.

    Contacts are reserved for it, one for each customer who gets it, and the tool's report says what
    became of them.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=ContactKind)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, verbose_name=_("purpose"))
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("category")
    )
    # A segments.Segment.
    segment = models.JSONField(default=dict, blank=True)
    # What is asked under it; None asks nothing.
    touchpoint = models.ForeignKey(
        Touchpoint, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("question")
    )
    # Its answers stand apart.
    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, null=True, blank=True)
    planned_at = models.DateTimeField(_("planned for"))
    status = models.CharField(
        _("status"), max_length=10, choices=MailingStatus, default=MailingStatus.DRAFT
    )
    # How many fell out at each step when the audience was chosen, and then at the exact claim.
    funnel = models.JSONField(default=dict, blank=True)
    refused = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("made at"))
    # Of the worker that reserves: one that was silent for two minutes is taken over.
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    ready_at = models.DateTimeField(_("ready since"), null=True, blank=True)
    reported_at = models.DateTimeField(_("last report"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        indexes = [models.Index(fields=["-planned_at"], name="mailing_by_plan")]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="mailing_name_not_empty"),
            models.CheckConstraint(
                condition=Q(status__in=MailingStatus.values), name="mailing_status_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ContactKind.values) & ~Q(kind=ContactKind.SERVICE),
                name="mailing_kind_for_many",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def source(self) -> str:
        """What its contacts say they come from."""
        return f"mailing:{self.pk}"

    @property
    def audience(self) -> Segment:
        return Segment.of(self.segment)
