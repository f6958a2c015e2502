"""Other systems that may ask and tell, each with a key of its own."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.permission import HASH_LENGTH


class ApiKey(models.Model):
    """A key of another system: shown once, stored as its SHA-256, limited to scopes."""

    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=HASH_LENGTH, unique=True, editable=False)
    # The first characters, to tell keys apart.
    hint = models.CharField(max_length=12, editable=False)
    # Names of scopes ("consent:read"); the API knows them.
    scopes = models.JSONField(_("may"), default=list)
    created_at = models.DateTimeField(_("made at"))
    created_by = models.CharField(_("made by"), max_length=40)
    expires_at = models.DateTimeField(_("works until"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    # The day, not the moment: enough to see whether it is in use.
    used_on = models.DateField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="apikey_name_not_empty"),
            models.CheckConstraint(condition=~models.Q(digest=""), name="apikey_digest_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name
