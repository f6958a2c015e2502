"""A message to an audience: for whom it is, when it goes, and how far it is."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Category, Contact, ContactKind, Customer, Product, Purpose
from feedback.models import Campaign, Touchpoint
from mailings.segments import Segment


class Means(models.TextChoices):
    """Who sends it."""

    LIST = "list", _("With a mail tool of our own, from a list")
    HERE = "here", _("From here")


class MailingStatus(models.TextChoices):
    """Of a list: draft → reserving → ready → done. From here: draft → scheduled → sending → done,
    and sending ⇄ paused. Cancelled from anywhere but done.
    """

    DRAFT = "draft", _("Draft")
    RESERVING = "reserving", _("Being made")
    READY = "ready", _("Ready to send")
    SCHEDULED = "scheduled", _("Planned")
    SENDING = "sending", _("Being sent")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")


class PausedBy(models.TextChoices):
    """Why sending stopped for the time being."""

    PERSON = "person", _("by a colleague")
    ERRORS = "errors", _("after too many errors in a row")


class Mailing(models.Model):
    """A message by e-mail: a list for a mail tool of the shop's own, or sent from here.

    Contacts are reserved for it, one for each customer who gets it: for a list all beforehand, from
    here each just before it is sent.
    """

    means = models.CharField(_("sent"), max_length=10, choices=Means, default=Means.LIST)
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
    # What the marketer expects: thumbs up, of a hundred; asked before anything goes.
    guess = models.PositiveSmallIntegerField(_("guess"), null=True, blank=True)
    # Of those who permit personal content, so many of a hundred get what everybody gets.
    generic_percent = models.PositiveSmallIntegerField(_("share without"), default=10)
    # So many answers are enough, and so many mails should bring them; None asks everybody.
    enough = models.PositiveIntegerField(_("enough answers"), null=True, blank=True)
    most = models.PositiveIntegerField(_("most mails"), null=True, blank=True)
    paused_by = models.CharField(max_length=10, choices=PausedBy, blank=True, editable=False)
    errors_in_row = models.PositiveIntegerField(default=0, editable=False)
    # Of the worker that reserves or plans: one that was silent for two minutes is taken over.
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
            models.CheckConstraint(
                condition=Q(means=Means.LIST) & ~Q(status__in=["scheduled", "sending", "paused"])
                | Q(means=Means.HERE) & ~Q(status__in=["reserving", "ready"]),
                name="mailing_status_of_its_means",
            ),
            models.CheckConstraint(
                condition=Q(guess=None) | Q(guess__lte=100), name="mailing_guess_of_hundred"
            ),
            models.CheckConstraint(
                condition=(Q(enough=None) | Q(enough__gte=1)) & (Q(most=None) | Q(most__gte=1)),
                name="mailing_asks_somebody",
            ),
            models.CheckConstraint(
                condition=Q(generic_percent__lte=100), name="mailing_generic_of_hundred"
            ),
            models.CheckConstraint(
                condition=Q(status="paused", paused_by__in=PausedBy.values)
                | ~Q(status="paused") & Q(paused_by=""),
                name="mailing_paused_by_somebody",
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


class MailText(models.Model):
    """What a mailing says in one language: the subject, and the text in Markdown."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=150)
    body = models.TextField(_("text"))

    class Meta:
        verbose_name = _("text of a mailing")
        constraints = [
            models.UniqueConstraint(fields=["mailing", "language"], name="mailtext_once"),
            models.CheckConstraint(
                condition=~Q(subject="") & ~Q(body=""), name="mailtext_says_something"
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class MailPicture(models.Model):
    """A picture that travels inside the mails of a mailing. Width and height in pixels."""

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="pictures")
    name = models.CharField(_("name"), max_length=60)
    content_type = models.CharField(max_length=20, editable=False)
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    data = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("picture of a mailing")
        constraints = [
            models.UniqueConstraint(fields=["mailing", "name"], name="mailpicture_once"),
            models.CheckConstraint(
                condition=Q(content_type__in=["image/png", "image/jpeg"]),
                name="mailpicture_typed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Group(models.TextChoices):
    """Who permits personal content gets it, or by chance does not; nobody else is in a group."""

    PERSONAL = "personal", _("With personal content")
    GENERIC = "generic", _("Without, by chance")


class DeliveryStatus(models.TextChoices):
    """queued → claimed → sent, failed, unknown, or failed for now and queued again; left out."""

    QUEUED = "queued", _("Waiting")
    CLAIMED = "claimed", _("On its way")
    FAILED_TEMP = "failed_temp", _("To be tried again")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Not delivered")
    UNKNOWN = "unknown", _("Perhaps sent")
    CANCELLED = "cancelled", _("Left out")


WAITING = (DeliveryStatus.QUEUED, DeliveryStatus.FAILED_TEMP)
UNDER_WAY = (*WAITING, DeliveryStatus.CLAIMED)


class Delivery(models.Model):
    """One mail to one customer, and how far it is.

    The row is the queue. `contact` is what was reserved for it, once it was claimed. `code` says
    why it was left out, or what the mail server answered; `phase` is how far the conversation with
    that server had come.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.PROTECT, related_name="deliveries")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT)
    # Where the contact goes, after an erasure or in time, this goes too.
    contact = models.OneToOneField(
        Contact, on_delete=models.CASCADE, null=True, blank=True, related_name="delivery"
    )
    # In the Message-ID, so that a mail and its row are found from each other.
    key = models.UUIDField(default=uuid4, unique=True, editable=False)
    status = models.CharField(
        _("status"), max_length=12, choices=DeliveryStatus, default=DeliveryStatus.QUEUED
    )
    group = models.CharField(_("group"), max_length=10, choices=Group, blank=True)
    code = models.CharField(max_length=40, blank=True)
    phase = models.CharField(max_length=10, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(_("due at"))
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(fields=["mailing", "status", "due_at"], name="delivery_due"),
            models.Index(
                fields=["status", "claimed_at"],
                name="delivery_under_way",
                condition=Q(status__in=["claimed", "unknown"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "customer"],
                name="delivery_once_under_way",
                condition=Q(status__in=["queued", "failed_temp", "claimed"]),
            ),
            models.CheckConstraint(
                condition=Q(group__in=["", *Group.values]), name="delivery_group_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "cancelled"]) | Q(contact__isnull=False),
                name="delivery_with_a_contact",
            ),
            # Which also says that the status is a known one.
            models.CheckConstraint(
                condition=Q(status__in=["queued", "failed_temp", "claimed"], finished_at=None)
                | Q(
                    status__in=["sent", "failed", "unknown", "cancelled"], finished_at__isnull=False
                ),
                name="delivery_finished_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id}: {self.customer_id}"


class GoesWith(models.Model):
    """What goes with a product, as counted last night: [product id, weight], best first."""

    product = models.OneToOneField(Product, on_delete=models.CASCADE, primary_key=True)
    others = models.JSONField(default=list)
    # How many customers bought it, and whether people buy it again.
    buyers = models.PositiveIntegerField(_("buyers"))
    is_bought_again = models.BooleanField(_("bought again"), default=False)

    class Meta:
        verbose_name = _("what goes with a product")
        verbose_name_plural = _("what goes with products")
        indexes = [models.Index(fields=["-buyers"], name="goeswith_popular")]

    def __str__(self) -> str:
        return str(self.product_id)
