"""What workers do for mailings; the sweep of insights says when."""

from celery import shared_task
from django.utils import timezone

from mailings import lists


@shared_task(name="mailings", time_limit=3600)
def reserve_lists() -> None:
    """Reserve contacts for the send lists that wait."""
    lists.reserve_due(timezone.now(), timezone.now)
