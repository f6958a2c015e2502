"""Where permission is asked: forms, drafts of texts, and counts without identity."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.people import Channel
from customers.models.permission import Change, Purpose, Wording, one_of


class WordingDraft(models.Model):
    """The next version of a purpose's texts, while it is being written; published it is gone."""

    purpose = models.OneToOneField(Purpose, on_delete=models.CASCADE, related_name="draft")
    # {language: {field of wordings.Texts: text}}
    texts = models.JSONField(_("texts"), default=dict)
    promised_messages = models.PositiveSmallIntegerField(null=True, blank=True)
    promised_days = models.PositiveSmallIntegerField(null=True, blank=True)
    change = models.CharField(
        _("what changes"), max_length=10, choices=Change, default=Change.EDITORIAL
    )
    updated_at = models.DateTimeField(_("last changed"))
    updated_by = models.CharField(_("changed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("draft of a wording")
        verbose_name_plural = _("drafts of wordings")
        constraints = [one_of("change", Change, "wordingdraft_change_known")]

    def __str__(self) -> str:
        return f"{self.purpose_id}"


class ConsentForm(models.Model):
    """A place where permission is asked, by a public key: one tick, and perhaps a second later.

    There is nowhere to store that a box is ticked, hidden or required: it cannot be.
    """

    key = models.SlugField(_("key"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.EMAIL)
    first = models.ForeignKey(
        Purpose, on_delete=models.PROTECT, related_name="+", verbose_name=_("first question")
    )
    second = models.ForeignKey(
        Purpose,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("question one step later"),
    )
    # Exact origins of pages that may show it in a frame; none means on its own address only.
    origins = models.JSONField(_("origins"), default=list, blank=True)
    created_at = models.DateTimeField(_("made at"))
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)

    class Meta:
        verbose_name = _("opt-in form")
        verbose_name_plural = _("opt-in forms")
        constraints = [
            models.CheckConstraint(condition=~models.Q(key=""), name="consentform_key_not_empty"),
            models.CheckConstraint(condition=~models.Q(name=""), name="consentform_name_not_empty"),
            one_of("channel", Channel, "consentform_channel_known"),
            models.CheckConstraint(
                condition=models.Q(second__isnull=True) | ~models.Q(second=models.F("first")),
                name="consentform_two_questions",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AskTally(models.Model):
    """How often a text was shown on a form on a day, and what came of it; counts, nobody's name."""

    form = models.ForeignKey(ConsentForm, on_delete=models.PROTECT)
    wording = models.ForeignKey(Wording, on_delete=models.PROTECT)
    # The day it was shown, in the organisation's time zone; a confirmation counts on that day too.
    on = models.DateField(_("on"))
    shown = models.PositiveIntegerField(_("shown"), default=0)
    ticked = models.PositiveIntegerField(_("ticked"), default=0)
    left_empty = models.PositiveIntegerField(_("left empty"), default=0)
    confirmed = models.PositiveIntegerField(_("confirmed"), default=0)

    class Meta:
        verbose_name = _("count of a form")
        verbose_name_plural = _("counts of forms")
        constraints = [
            models.UniqueConstraint(fields=["form", "wording", "on"], name="asktally_one_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id} {self.wording_id} {self.on}"
