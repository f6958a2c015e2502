"""The question under a mail of ours: its link says which mail, and holds nothing about anybody.

A mail program or a scanner may open it as often as it likes: a press on a button counts, once.
"""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.models import Contact
from customers.public_pages import discreet, say, speak
from customers.tokens import rating_key, read_rating
from feedback.hosted import Asked, answer_page
from feedback.models import Campaign, Touchpoint

# Who answers later answers about something else.
OPEN_FOR = timedelta(days=90)


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@discreet
def rated(request: HttpRequest, token: str) -> HttpResponse:
    """Ask what somebody thinks of a mail they got, and take the answer."""
    asked = _asked(token)
    if asked is None or asked.contact is None:
        return say(
            request,
            _("This link does not work any more"),
            _("You need not do anything. Your earlier answers stand."),
            status=404,
        )
    speak(request, asked.contact.customer.language)
    if timezone.now() - asked.contact.from_at > OPEN_FOR:
        return say(
            request,
            _("This link has expired"),
            _("The question was about an e-mail of more than 90 days ago."),
            _("You need not do anything."),
            status=410,
        )
    return answer_page(request, asked)


def _asked(token: str) -> Asked | None:
    """Return what a link asks; None for one that is not ours, and for a mail nobody knows now."""
    rating = read_rating(token)
    if rating is None:
        return None
    contacts = Contact.objects.select_related("customer", "category")
    contact = contacts.filter(pk=rating.contact_id).first()
    touchpoint = Touchpoint.objects.filter(pk=rating.touchpoint_id).first()
    if contact is None or touchpoint is None:
        return None
    campaign = Campaign.objects.filter(pk=rating.campaign_id).first()
    return Asked(touchpoint, contact, rating_key(token), campaign)
