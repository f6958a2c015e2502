"""Where a mail provider tells what became of mails: one address, and only with the secret.

The provider is the one of MAIL_PROVIDER; django-anymail reads its language.
"""

from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from anymail.urls import urlpatterns as views_of_providers
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from mailings.events import Event, record_event

EVENTS = {
    EventType.DELIVERED: Event.DELIVERED,
    EventType.COMPLAINED: Event.COMPLAINED,
    EventType.UNSUBSCRIBED: Event.UNSUBSCRIBED,
}
# Of a bounce for another reason the address may work again.
FOR_GOOD = {RejectReason.INVALID, RejectReason.BOUNCED}


@csrf_exempt
@login_not_required
def mail_events(request: HttpRequest) -> HttpResponseBase:
    """Hear what the provider says, if it knows the secret; without one nobody is heard."""
    name = f"{settings.MAIL_PROVIDER}_tracking_webhook"
    view = next((one.callback for one in views_of_providers if one.name == name), None)
    if view is None or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    answer: HttpResponseBase = view(request)
    return answer


@receiver(tracking, dispatch_uid="mailings")
def heard(event: AnymailTrackingEvent, **_given: Any) -> None:
    """Record what a provider told, where it is something we act upon."""
    told = EVENTS.get(event.event_type)
    if event.event_type == EventType.BOUNCED and event.reject_reason in FOR_GOOD:
        told = Event.BOUNCED
    if told:
        record_event(
            event=told,
            key=str((event.metadata or {}).get("delivery", "")),
            recipient=event.recipient or "",
            now=timezone.now(),
        )
