"""What is remembered about numbers, jobs and imports."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PeriodKind(models.TextChoices):
    """The standard periods that KPIs are kept for."""

    DAY = "day", _("Day")
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")


class KpiSnapshot(models.Model):
    """The counts of one KPI over a standard period and slice.

    Live while the period is open. Closed periods are frozen: what comes in later stands beside
    the frozen counts as a correction and never replaces them. Value and interval are computed
    by kpis.py when read.
    """

    kpi = models.CharField(max_length=20)
    period = models.CharField(max_length=10, choices=PeriodKind)
    start_on = models.DateField()
    end_on = models.DateField()
    dimension = models.CharField(max_length=15, blank=True)
    key = models.CharField(max_length=20, blank=True)
    counts = models.JSONField()
    n = models.IntegerField()
    definition_version = models.PositiveSmallIntegerField()
    time_zone = models.CharField(max_length=50)
    computed_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True, blank=True)
    corrected_counts = models.JSONField(null=True, blank=True)
    corrected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("KPI of a period")
        verbose_name_plural = _("KPIs of periods")
        constraints = [
            models.UniqueConstraint(
                fields=["kpi", "period", "dimension", "key", "start_on"],
                name="kpisnapshot_slice_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(start_on__lt=models.F("end_on")),
                name="kpisnapshot_starts_before_it_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(corrected_at__isnull=True) | models.Q(frozen_at__isnull=False),
                name="kpisnapshot_only_frozen_is_corrected",
            ),
            models.CheckConstraint(
                condition=models.Q(period__in=PeriodKind.values), name="kpisnapshot_period_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kpi} {self.period} {self.start_on} {self.dimension} {self.key}".strip()


# What each job does, for who looks after the product; tasks.py and its neighbours name them.
JOB_LABELS = {
    "sweep": _("Look for work that is due"),
    "fold": _("Add up new answers"),
    "compute_kpis": _("Bring KPIs up to date"),
    "imports": _("Read uploaded files"),
    "customer_types": _("Label customers by type"),
    "unconfirmed": _("Forget addresses that were not confirmed"),
    "verify_ledger": _("Verify the consent ledger"),
    "permission_endings": _("Note permissions that ran out"),
    "contact_endings": _("Note reservations that ran out"),
    "letters": _("Send letters about permission"),
    "mailings": _("Make send lists"),
    "send_mailings": _("Send mailings"),
    "count_picks": _("Count what goes with what customers bought"),
    "freeze_periods": _("Close periods that have ended"),
    "retention": _("Delete what was kept long enough"),
    "data_requests": _("Do what people asked about their data"),
}


class JobRun(models.Model):
    """The last run of each job, for people to look at; nothing is decided by it."""

    name = models.CharField(_("job"), max_length=50, unique=True)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"))
    milliseconds = models.PositiveIntegerField(_("took (ms)"))
    succeeded = models.BooleanField(_("succeeded"))
    error = models.CharField(_("error"), max_length=200, blank=True)
    runs = models.PositiveBigIntegerField(_("runs"), default=0)
    failures = models.PositiveBigIntegerField(_("failures"), default=0)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return str(JOB_LABELS.get(self.name, self.name))


class NightlyRun(models.Model):
    """A nightly job that is done for a local day; without the row it is still due."""

    job = models.CharField(max_length=50)
    on = models.DateField()
    done_at = models.DateTimeField()

    class Meta:
        verbose_name = _("nightly run")
        verbose_name_plural = _("nightly runs")
        constraints = [models.UniqueConstraint(fields=["job", "on"], name="nightlyrun_once_a_day")]

    def __str__(self) -> str:
        return f"{self.job} on {self.on}"


class ImportJob(models.Model):
    """A file somebody uploaded: mapped, looked at, then read by a worker."""

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", _("Customers")
        PRODUCTS = "products", _("Products")
        PURCHASES = "purchases", _("Purchases")
        RESPONSES = "responses", _("Answers")
        CONSENTS = "consents", _("Permissions of customers")
        CONTACTS = "contacts", _("Contacts")
        REPORTS = "reports", _("Report of a mail tool")

    class Status(models.TextChoices):
        DRAFT = "draft", _("Not started")
        # Permissions that a second person has to look at before they go in.
        APPROVAL = "approval", _("To be approved")
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        STOPPED = "stopped", _("Stopped")

    kind = models.CharField(_("what"), max_length=20, choices=Kind)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT)
    file = models.FileField(upload_to="imports/")
    file_name = models.CharField(_("file"), max_length=200)
    # {"fields": {field: header}, "constants": {...}, "recodes": {...}, "time_zone": …, …}
    options = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("uploaded at"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("started by"),
    )
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    # A running job shows life; one that was silent for two minutes is taken over.
    claimed_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    percent = models.PositiveSmallIntegerField(_("progress"), default=0)
    result = models.JSONField(null=True, blank=True)
    rejects = models.FileField(upload_to="imports/", blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__lte=100), name="importjob_percent_to_100"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        *("customers", "products", "purchases", "responses", "consents"),
                        *("contacts", "reports"),
                    ]
                ),
                name="importjob_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["draft", "approval", "queued", "running", "done", "stopped"]
                ),
                name="importjob_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class Organisation(models.Model):
    """How the organisation calls itself and looks, to its staff and its customers; one row.

    Empty fields mean the setting of the same name, or nothing.
    """

    name = models.CharField(_("name"), max_length=60, blank=True)
    # Small, and read by every web server: the database is the one place they share.
    logo = models.BinaryField(_("logo"), null=True, blank=True, editable=False)
    logo_type = models.CharField(max_length=20, blank=True, editable=False)
    accent = models.CharField(_("colour"), max_length=7, blank=True)
    formal = models.BooleanField(_("address customers as “u”"), null=True, blank=True)
    sender_name = models.CharField(_("name of the sender"), max_length=60, blank=True)
    sender_email = models.EmailField(_("address of the sender"), blank=True)
    time_zone_checked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("organisation")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="organisation_one_row"),
            models.CheckConstraint(
                condition=models.Q(logo__isnull=True, logo_type="")
                | models.Q(logo__isnull=False, logo_type__in=["image/png", "image/jpeg"]),
                name="organisation_logo_typed",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Annotation(models.Model):
    """Something that happened on a day, drawn on every line of time."""

    on = models.DateField(_("day"))
    text = models.CharField(_("what happened"), max_length=80)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("written at"))

    class Meta:
        verbose_name = _("annotation")
        verbose_name_plural = _("annotations")
        ordering = ("on", "pk")
        constraints = [
            models.CheckConstraint(condition=~models.Q(text=""), name="annotation_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.text}"
