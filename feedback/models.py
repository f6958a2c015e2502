"""What we ask, what people say, and the counts of it."""

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models import (
    Category,
    Channel,
    ConsentForm,
    Customer,
    CustomerType,
    Involvement,
    Product,
)
from feedback.questions import default_question, ready_made


class ScaleKey(models.TextChoices):
    """The scales of scales.py, for forms and constraints."""

    THUMB = "thumb", _("Thumb")
    NPS = "nps", _("NPS, 0 to 10")
    CSAT = "csat", _("Satisfaction, 1 to 5")
    CES = "ces", _("Ease, 1 to 7")


class Reason(models.TextChoices):
    """Why somebody voted as they did."""

    NOT_RELEVANT = "not_relevant", _("Not relevant")
    TOO_OFTEN = "too_often", _("Too often")
    TOO_PERSONAL = "too_personal", _("Too personal")
    EFFORT = "effort", _("Too much effort")
    OTHER = "other", _("Something else")
    USEFUL = "useful", _("Useful")
    FUN = "fun", _("Fun")
    EASY = "easy", _("Easy")


# In the order in which they are offered. Whoever is content gives one of the happy ones.
HAPPY_REASONS = (Reason.USEFUL, Reason.FUN, Reason.EASY)
UNHAPPY_REASONS = (
    Reason.NOT_RELEVANT,
    Reason.TOO_OFTEN,
    Reason.TOO_PERSONAL,
    Reason.EFFORT,
    Reason.OTHER,
)


# The measure under which invitations are counted: 1 answered, 0 silent.
INVITED = "invited"


def new_touchpoint_key(scale: str) -> str:
    """Return a new public key. It begins with the scale, so that a widget knows what to draw."""
    return f"{scale}-{secrets.token_hex(6)}"


class Labels(models.TextChoices):
    """The words on the two thumbs."""

    YES_NO = "", _("Yes / No")
    GOOD = "good", _("Good / Not good")
    AGREE = "agree", _("Agree / Disagree")


class Theme(models.TextChoices):
    """The light or the dark widget; automatic follows the visitor's system."""

    AUTOMATIC = "", _("Automatic")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Touchpoint(models.Model):
    """A place where we ask. A 0-to-10 question is NPS because its scale says so."""

    key = models.CharField(_("key"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    scale = models.CharField(_("scale"), max_length=10, choices=ScaleKey)
    question_nl = models.CharField(_("question in Dutch"), max_length=200, blank=True)
    question_en = models.CharField(_("question in English"), max_length=200, blank=True)
    # Empty: the widget's own words.
    thanks_nl = models.CharField(_("thanks in Dutch"), max_length=200, blank=True)
    thanks_en = models.CharField(_("thanks in English"), max_length=200, blank=True)
    labels = models.CharField(
        _("words on the thumbs"), max_length=10, choices=Labels, default=Labels.YES_NO, blank=True
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("product")
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("category")
    )
    # Exactly as browsers send them, see origins.py. None: only the hosted question takes answers.
    origins = models.JSONField(_("allowed addresses"), default=list, blank=True)
    theme = models.CharField(
        _("theme"), max_length=10, choices=Theme, default=Theme.AUTOMATIC, blank=True
    )
    accent = models.CharField(_("accent colour"), max_length=7, blank=True)
    counts_exposures = models.BooleanField(_("count how often it is shown"), default=False)
    # Offered after a thumb up of a customer we know, as often as the asks allow.
    offer = models.ForeignKey(
        ConsentForm,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("opt-in form offered after a thumb up"),
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="touchpoint_name_not_empty"),
            # Which also says that the scale is a known one.
            models.CheckConstraint(
                condition=models.Q(scale="thumb", key__startswith="thumb-")
                | models.Q(scale="nps", key__startswith="nps-")
                | models.Q(scale="csat", key__startswith="csat-")
                | models.Q(scale="ces", key__startswith="ces-"),
                name="touchpoint_key_says_scale",
            ),
            models.CheckConstraint(
                condition=models.Q(labels__in=Labels.values), name="touchpoint_labels_known"
            ),
            models.CheckConstraint(
                condition=models.Q(offer__isnull=True) | models.Q(scale="thumb"),
                name="touchpoint_offer_after_a_thumb",
            ),
            models.CheckConstraint(
                condition=models.Q(theme__in=Theme.values), name="touchpoint_theme_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def question(self, language: str, *, formal: bool = False) -> str:
        """Return the question in "nl" or "en"; that of the scale if nobody wrote one.

        What somebody wrote stays as it is; `formal` is how a ready-made question says "you", also
        one that was taken over while the organisation said it in the other way.
        """
        own = self.question_en if language == "en" else self.question_nl
        asked = ready_made(own) if own else default_question(self.scale)
        return asked.said(language, formal=formal) if asked else own

    def thanks(self, language: str) -> str:
        """Return the thanks in "nl" or "en"; empty for the words of the widget."""
        return self.thanks_en if language == "en" else self.thanks_nl


class Campaign(models.Model):
    """One sending of a newsletter: links may name it, so that its answers stand apart."""

    key = models.CharField(_("key"), max_length=32, unique=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="campaign_name_not_empty"),
            models.CheckConstraint(condition=~models.Q(key=""), name="campaign_key_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


class Dimensions(models.Model):
    """What an answer is sliced by, copied as it was when the answer (or the ask) was made."""

    touchpoint = models.ForeignKey(
        Touchpoint, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("touchpoint")
    )
    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("product")
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("category")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, blank=True)
    customer_type = models.CharField(
        _("customer type"), max_length=20, choices=CustomerType, blank=True
    )

    class Meta:
        abstract = True


class Invitation(Dimensions):
    """One ask to one known customer: the denominator of the response rate."""

    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, related_name="invitations"
    )
    invited_at = models.DateTimeField(_("invited at"))
    # The cohort: the local day of the ask, whenever the answer comes.
    invited_on = models.DateField(_("invited on"), editable=False)
    # Of the link it was asked by, and of the answer to that: one link is one invitation. Empty
    # for what was asked elsewhere.
    key = models.CharField(_("key"), max_length=64, blank=True, editable=False, default="")

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=~models.Q(key=""), name="invitation_one_for_a_link"
            ),
            models.CheckConstraint(
                condition=models.Q(channel__in=["", *Channel.values]),
                name="invitation_channel_known",
            ),
            models.CheckConstraint(
                condition=models.Q(customer_type__in=["", *CustomerType.values]),
                name="invitation_customer_type_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.invited_on})"


# Answers of somebody we know, or from a file.
NOT_ANONYMOUS = models.Q(customer__isnull=False) | models.Q(imported=True)


class Response(Dimensions):
    """One answer to one question."""

    # Given by the client, so that a retry is the same answer; unique per touchpoint.
    key = models.CharField(_("key"), max_length=64)
    invitation = models.OneToOneField(
        Invitation, on_delete=models.PROTECT, null=True, blank=True, related_name="response"
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, blank=True, related_name="responses"
    )
    # How much buyers cared about the category then; empty about none, and for what is older.
    involvement = models.CharField(
        _("involvement"), max_length=10, choices=Involvement, blank=True, db_default=""
    )
    scale = models.CharField(_("scale"), max_length=10, choices=ScaleKey)
    value = models.SmallIntegerField(_("value"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    answered_at = models.DateTimeField(_("answered at"))
    # The local day it counts for; follows the organisation's time zone.
    answered_on = models.DateField(_("answered on"), editable=False)
    imported = models.BooleanField(_("imported"), default=False)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("campaign")
    )
    # Of the answer as it first came in: a retry is still the same answer after an edit.
    body_hash = models.CharField(max_length=16, blank=True, editable=False, db_default="")

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        indexes = [
            models.Index(fields=["answered_at"], name="response_by_time"),
            models.Index(fields=["scale", "answered_on"], name="response_by_scale_and_day"),
            models.Index(
                fields=["scale", "-answered_at"],
                condition=~models.Q(comment=""),
                name="response_comments",
            ),
            models.Index(
                fields=["touchpoint", "answered_on"],
                condition=NOT_ANONYMOUS,
                name="response_not_anonymous",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["touchpoint", "key"], name="response_key_unique"),
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(touchpoint__isnull=True),
                name="response_key_unique_without_touchpoint",
            ),
            models.CheckConstraint(condition=~models.Q(key=""), name="response_key_not_empty"),
            models.CheckConstraint(
                condition=models.Q(involvement__in=["", *Involvement.values]),
                name="response_involvement_known",
            ),
            models.CheckConstraint(
                condition=models.Q(scale="thumb", value__gte=0, value__lte=1)
                | models.Q(scale="nps", value__gte=0, value__lte=10)
                | models.Q(scale="csat", value__gte=1, value__lte=5)
                | models.Q(scale="ces", value__gte=1, value__lte=7),
                name="response_value_on_scale",
            ),
            models.CheckConstraint(
                condition=models.Q(reason__in=["", *Reason.values]), name="response_reason_known"
            ),
            models.CheckConstraint(
                condition=models.Q(channel__in=["", *Channel.values]),
                name="response_channel_known",
            ),
            models.CheckConstraint(
                condition=models.Q(customer_type__in=["", *CustomerType.values]),
                name="response_customer_type_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scale} {self.value} ({self.answered_on})"


class ResponseEdit(models.Model):
    """A change of mind: what the answer was before it, and the key that makes a retry harmless."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="edits")
    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.PROTECT)
    key = models.CharField(_("key"), max_length=64)
    body_hash = models.CharField(max_length=16, editable=False)
    edited_at = models.DateTimeField(_("edited at"))
    value_before = models.SmallIntegerField(_("value before"))
    reason_before = models.CharField(_("reason before"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("change of an answer")
        verbose_name_plural = _("changes of answers")
        constraints = [
            models.UniqueConstraint(fields=["touchpoint", "key"], name="responseedit_key_unique"),
            models.CheckConstraint(condition=~models.Q(key=""), name="responseedit_key_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.response_id} at {self.edited_at}"


class ExposureKind(models.TextChoices):
    """What happened at a touchpoint without any identity."""

    SHOWN = "shown", _("Widget shown")
    ANSWERED = "answered", _("Answered where showing is counted")
    OPENED = "opened", _("Link in a mail opened")
    CONFIRMED = "confirmed", _("Answered after opening a link in a mail")


class Exposure(models.Model):
    """How often something was shown or opened on a day, counted without any identity.

    Opening a link is no answer: mail scanners open them all. It only stands beside the answers.
    """

    touchpoint = models.ForeignKey(Touchpoint, on_delete=models.PROTECT)
    day = models.DateField()
    kind = models.CharField(max_length=10, choices=ExposureKind)
    # A plain number with 0 for none, because NULLs never meet in a unique key.
    campaign_id = models.BigIntegerField(default=0)
    n = models.IntegerField()

    class Meta:
        verbose_name = _("count without identity")
        verbose_name_plural = _("counts without identity")
        constraints = [
            models.UniqueConstraint(
                fields=["touchpoint", "day", "kind", "campaign_id"], name="exposure_key_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=ExposureKind.values), name="exposure_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.n} {self.kind} on {self.day}"


class CountKey(models.Model):
    """What a count is about: one measure, one value, one local day, one place in the cube.

    Ids are plain numbers with 0 for none, because NULLs never meet in a unique key.
    """

    measure = models.CharField(max_length=10)
    day = models.DateField()
    value = models.SmallIntegerField()
    touchpoint_id = models.BigIntegerField(default=0)
    product_id = models.BigIntegerField(default=0)
    category_id = models.BigIntegerField(default=0)
    channel = models.CharField(max_length=10, default="", blank=True)
    customer_type = models.CharField(max_length=20, default="", blank=True)
    reason = models.CharField(max_length=20, default="", blank=True)
    n = models.IntegerField()

    class Meta:
        abstract = True


CUBE_KEY = [
    "measure",
    "day",
    "value",
    "touchpoint_id",
    "product_id",
    "category_id",
    "channel",
    "customer_type",
    "reason",
]


class ResponseChange(CountKey):
    """A signed count that is not folded yet: +1 for a new answer, −1 and +1 for a changed one.

    Born in the transaction of the answer it counts and deleted in the transaction that adds it
    to the tallies, so each change is counted exactly once.
    """

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(n__in=[-1, 1]), name="change_is_one_step"),
        ]

    def __str__(self) -> str:
        return f"{self.n:+d} {self.measure} {self.value} on {self.day}"


class DayCube(CountKey):
    """Folded counts for filters that combine dimensions."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=CUBE_KEY, name="daycube_key_unique")]

    def __str__(self) -> str:
        return f"{self.n} {self.measure} {self.value} on {self.day}"


class Tally(models.Model):
    """Folded counts of the whole and of each dimension alone.

    The dimension stands first in the key: a trend of one slice reads neighbouring rows,
    however many answers and slices there are.
    """

    dimension = models.CharField(max_length=15)
    key = models.CharField(max_length=20)
    measure = models.CharField(max_length=10)
    day = models.DateField()
    value = models.SmallIntegerField()
    n = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "key", "measure", "day", "value"], name="tally_key_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.n} {self.measure} {self.value} on {self.day} ({self.dimension} {self.key})"


class TouchedSlice(models.Model):
    """A day of a slice whose counts changed: work waiting for whoever keeps KPIs of it."""

    dimension = models.CharField(max_length=15)
    key = models.CharField(max_length=20)
    measure = models.CharField(max_length=10)
    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.measure} on {self.day} ({self.dimension} {self.key})"


class CountingState(models.Model):
    """One row: the time zone the days were counted in, and a number that grows with each fold."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    time_zone = models.CharField(max_length=50)
    version = models.BigIntegerField(default=0)
    folded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("state of the counting")
        verbose_name_plural = _("state of the counting")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="countingstate_is_one_row")
        ]

    def __str__(self) -> str:
        return f"{self.time_zone}, fold {self.version}"
