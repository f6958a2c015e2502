"""Jobs about customers; the sweep of insights says when."""

from celery import shared_task
from django.utils import timezone

from customers import confirming, endings, outcomes, services, verification


@shared_task(name="customer_types", time_limit=3600)
def label_customers() -> None:
    """Bring every customer's stored type up to date."""
    services.label_customers(timezone.localdate())


@shared_task(name="verify_ledger", time_limit=3600)
def verify_ledger() -> None:
    """Walk the consent ledger and sign what it stands at; a finding makes the job fail."""
    verification.make_checkpoint(timezone.now())


@shared_task(name="permission_endings", time_limit=3600)
def record_endings() -> None:
    """Write down which permissions ran out or are for something that changed."""
    endings.record_endings(timezone.now())


@shared_task(name="contact_endings", time_limit=3600)
def expire_contacts() -> None:
    """Mark reservations that ran out; they did not weigh any more."""
    outcomes.expire_contacts(timezone.now())


@shared_task(name="unconfirmed", time_limit=3600)
def expire_unconfirmed() -> None:
    """End what was not confirmed within a week, and forget addresses that nobody confirmed."""
    confirming.expire_unconfirmed(timezone.now())
