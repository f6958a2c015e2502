"""What people ask about their own data, who looked at it, and what staff did at their request."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.people import Customer
from customers.models.permission import Wording, one_of


class RequestKind(models.TextChoices):
    """The rights of GDPR art. 15 to 21."""

    ACCESS = "access", _("See or take along my data")
    RECTIFICATION = "rectification", _("Correct my data")
    ERASURE = "erasure", _("Erase my data")
    RESTRICTION = "restriction", _("Keep my data but do nothing with it")
    OBJECTION = "objection", _("Object to marketing")


class RequestState(models.TextChoices):
    """How far a request is."""

    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused, with a reason")


class RequestSource(models.TextChoices):
    """How a request came in."""

    OWN_PAGE = "own_page", _("On the own page")
    STAFF = "staff", _("Through a colleague")


class DataRequest(models.Model):
    """One request of one customer, due within a month (GDPR art. 12(3))."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="data_requests")
    kind = models.CharField(_("request"), max_length=15, choices=RequestKind)
    source = models.CharField(_("came in"), max_length=10, choices=RequestSource)
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState, default=RequestState.OPEN
    )
    received_at = models.DateTimeField(_("received at"))
    due_on = models.DateField(_("due on"))
    # In the customer's words, or a colleague's; emptied when the customer is erased.
    text = models.TextField(_("what was asked"), blank=True)
    # {field: new value} of a correction; emptied when it is done.
    corrections = models.JSONField(_("corrections"), default=dict, blank=True)
    answer = models.TextField(_("what was done"), blank=True)
    # The id of the colleague who took it in or finished it, never a name.
    handled_by = models.CharField(_("handled by"), max_length=40, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("request about data")
        verbose_name_plural = _("requests about data")
        indexes = [models.Index(fields=["state", "due_on"], name="datarequest_due")]
        constraints = [
            one_of("kind", RequestKind, "datarequest_kind_known"),
            one_of("source", RequestSource, "datarequest_source_known"),
            one_of("state", RequestState, "datarequest_state_known"),
            models.CheckConstraint(
                condition=models.Q(state="open", finished_at__isnull=True)
                | (~models.Q(state="open") & models.Q(finished_at__isnull=False)),
                name="datarequest_finished_or_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="refused") | ~models.Q(answer=""),
                name="datarequest_refusal_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Erasure(models.Model):
    """One erasure: what was to go, table by table, and the proof that it is gone."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="erasures")
    reason = models.CharField(_("reason"), max_length=200)
    # {table: rows that held something of the customer}, before and after.
    plan = models.JSONField(_("plan"), default=dict)
    proof = models.JSONField(_("proof"), default=dict)
    requested_at = models.DateTimeField(_("requested at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    # Again, because a backup from before it was put back.
    replayed = models.BooleanField(_("replayed"), default=False)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="erasure_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.requested_at:%Y-%m-%d}"


class AccessKind(models.TextChoices):
    """What a colleague looked at or did."""

    PAGE = "page", _("Looked at the record")
    SEARCH = "search", _("Found in a search")
    EXPORT = "export", _("Made a copy of the data")
    CHANGE = "change", _("Changed something at your request")
    API = "api", _("Asked by another system")


class AccessLog(models.Model):
    """Somebody of the organisation saw the data of a customer; the customer may know."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="views")
    kind = models.CharField(_("what"), max_length=10, choices=AccessKind)
    viewed_at = models.DateTimeField(_("when"))
    # The id of the colleague or API key, and their role as it was: customers read the role.
    viewer = models.CharField(_("who"), max_length=40)
    role = models.CharField(_("role"), max_length=40, blank=True)
    reason = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("view of personal data")
        verbose_name_plural = _("views of personal data")
        indexes = [
            models.Index(fields=["customer", "viewed_at"], name="accesslog_of_customer"),
            models.Index(fields=["viewed_at"], name="accesslog_by_age"),
        ]
        constraints = [
            one_of("kind", AccessKind, "accesslog_kind_known"),
            models.CheckConstraint(condition=~models.Q(viewer=""), name="accesslog_of_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.customer_id}"


class Invalidation(models.Model):
    """A faulty batch of permissions, declared invalid by two people, or one and a day's wait."""

    # All of the yeses that match: given on a text, at a place, in a stretch of time.
    wording = models.ForeignKey(Wording, on_delete=models.PROTECT, null=True, blank=True)
    place = models.CharField(_("where"), max_length=100, blank=True)
    since = models.DateTimeField(_("from"), null=True, blank=True)
    until = models.DateTimeField(_("to"), null=True, blank=True)
    reason = models.TextField(_("what is wrong with them"))
    entries = models.PositiveIntegerField(_("number of entries"), default=0)
    proposed_by = models.CharField(_("proposed by"), max_length=40)
    proposed_at = models.DateTimeField(_("proposed at"))
    approved_by = models.CharField(_("approved by"), max_length=40, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("dropped at"), null=True, blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("invalidation")
        verbose_name_plural = _("invalidations")
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="invalidation_says_why"),
            models.CheckConstraint(
                condition=models.Q(wording__isnull=False) | ~models.Q(place=""),
                name="invalidation_of_a_batch",
            ),
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(approved_at__isnull=False),
                name="invalidation_done_was_approved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class CustomerMerge(models.Model):
    """Two records that turned out to be one person, and what each side lost."""

    survivor = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="merges")
    absorbed = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="merged")
    reason = models.CharField(_("reason"), max_length=200)
    merged_by = models.CharField(_("merged by"), max_length=40)
    merged_at = models.DateTimeField(_("merged at"))
    # As the preview showed it: [{purpose, channel, survivor, absorbed, result}].
    outcome = models.JSONField(_("outcome"), default=list)

    class Meta:
        verbose_name = _("merge of customers")
        verbose_name_plural = _("merges of customers")
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="customermerge_says_why"),
            models.CheckConstraint(
                condition=~models.Q(survivor=models.F("absorbed")), name="customermerge_of_two"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survivor_id} ← {self.absorbed_id}"
