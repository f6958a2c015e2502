"""Mail about somebody's own permission and data: letters, and links in them that work once."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.asking import ConsentForm
from customers.models.people import Channel, Customer
from customers.models.permission import HASH_LENGTH, one_of


class LinkAction(models.TextChoices):
    """What a mailed link does, once, when its button is pressed."""

    CONFIRM = "confirm", _("Confirm a permission")
    OPEN = "open", _("Open the own page")


class MailedLink(models.Model):
    """A link that works once and is known only to the one who reads the mail.

    Its token is made while the letter is sent; only the SHA-256 of it is stored.
    """

    action = models.CharField(_("action"), max_length=10, choices=LinkAction)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="mailed_links")
    # Of the address it is mailed to: a link does not outlive a change of address.
    address_hash = models.CharField(max_length=HASH_LENGTH, editable=False)
    # Null until it is sent: many wait at once, and empty texts would be equal.
    digest = models.CharField(  # noqa: DJ001
        max_length=HASH_LENGTH, null=True, unique=True, editable=False
    )
    # For a confirmation: where and on which channel it was asked, and the texts that were ticked.
    form = models.ForeignKey(ConsentForm, on_delete=models.PROTECT, null=True, blank=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.EMAIL)
    # Ids of Wording.
    wordings = models.JSONField(_("texts"), default=list, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    old_enough = models.BooleanField(_("said to be old enough"), null=True, blank=True)
    expires_at = models.DateTimeField(_("works until"))
    spent_at = models.DateTimeField(_("used at"), null=True, blank=True)
    # The own page stays open for a while after the link was used, unless it is closed before.
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("mailed link")
        verbose_name_plural = _("mailed links")
        constraints = [
            one_of("action", LinkAction, "mailedlink_action_known"),
            one_of("channel", Channel, "mailedlink_channel_known"),
            models.CheckConstraint(
                condition=~models.Q(address_hash=""), name="mailedlink_to_an_address"
            ),
            models.CheckConstraint(
                condition=models.Q(spent_at__isnull=True) | models.Q(digest__isnull=False),
                name="mailedlink_used_was_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"


class LetterKind(models.TextChoices):
    """What a letter says; each has a subject and a text of its own."""

    CONFIRM = "confirm", _("Please confirm")
    OPEN = "open", _("Link to the own page")
    RECEIVED = "received", _("A request was received")
    ANSWERED = "answered", _("A request was answered")
    ERASED = "erased", _("Erased")


class LetterState(models.TextChoices):
    """Where a letter is. What was claimed and not confirmed is unknown, and not sent again."""

    QUEUED = "queued", _("Waiting")
    CLAIMED = "claimed", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED_TEMP = "failed_temp", _("Failed, will be tried again")
    FAILED_PERM = "failed_perm", _("Failed")
    UNKNOWN = "unknown", _("Unknown whether sent")


class Letter(models.Model):
    """One service mail to one customer; the row is the queue."""

    kind = models.CharField(_("kind"), max_length=10, choices=LetterKind)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="letters"
    )
    # Emptied as soon as the letter is sent or given up.
    address = models.EmailField(_("address"), blank=True)
    # Of the mailbox it goes to; kept, to limit how many letters that gets.
    address_hash = models.CharField(max_length=HASH_LENGTH, editable=False, db_index=True)
    language = models.CharField(_("language"), max_length=10)
    link = models.OneToOneField(MailedLink, on_delete=models.CASCADE, null=True, blank=True)
    # What the text names besides the link; plain words and numbers.
    values = models.JSONField(_("values"), default=dict, blank=True)
    state = models.CharField(
        _("state"), max_length=12, choices=LetterState, default=LetterState.QUEUED
    )
    queued_at = models.DateTimeField(_("queued at"))
    due_at = models.DateTimeField(_("due at"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claimed_at = models.DateTimeField(_("claimed at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [models.Index(fields=["state", "due_at"], name="letter_due")]
        constraints = [
            one_of("kind", LetterKind, "letter_kind_known"),
            one_of("state", LetterState, "letter_state_known"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["queued", "claimed", "failed_temp"])
                | ~models.Q(address=""),
                name="letter_waiting_has_an_address",
            ),
            models.CheckConstraint(
                condition=~models.Q(address_hash=""), name="letter_to_an_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
