"""The first-run checklist: what a new organisation sets up, ticked off by what is there."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Purchase
from feedback.models import Response
from insights.accounts import Role
from insights.models import ImportJob
from insights.organisation import Profile


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to set up: what, why, and the page (with a place on it) where that is done."""

    key: str
    title: object
    why: object
    action: object
    page: str
    place: str = ""


STEPS = (
    Step(
        "administrator",
        _("Administrator"),
        _("Somebody has to be able to change these settings and add colleagues."),
        _("Colleagues"),
        "colleagues",
    ),
    Step(
        "colleagues",
        _("Colleagues"),
        _("Each with a login of their own, so that it is clear who did what."),
        _("Add a colleague"),
        "colleagues",
    ),
    Step(
        "name",
        _("Name"),
        _("Customers read it above every question, and know who is asking."),
        _("Give the name"),
        "settings",
        "#id_name",
    ),
    Step(
        "logo",
        _("Logo"),
        _("Customers recognise a logo sooner than a name."),
        _("Choose a logo"),
        "settings",
        "#id_logo",
    ),
    Step(
        "accent",
        _("Colour"),
        _("New touchpoints begin with it, so that a question looks like your site."),
        _("Choose the colour"),
        "settings",
        "#id_accent",
    ),
    Step(
        "formal",
        _("“Je” or “u”"),
        _("Customers are addressed as they are in your shop."),
        _("Choose the form of address"),
        "settings",
        "#div_id_formal",
    ),
    Step(
        "time_zone",
        _("Time zone"),
        _("Days, weeks and months begin and end in it, in every figure."),
        _("Check the time zone"),
        "settings",
        "#time-zone",
    ),
    Step(
        "sender",
        _("Sender of mails"),
        _("Mail from an address that people know is opened, and answers to it arrive."),
        _("Give the sender"),
        "settings",
        "#id_sender_email",
    ),
    Step(
        "https",
        _("Public address with https"),
        _("Without it browsers send no answers here from a site with https."),
        _("See the address"),
        "settings",
        "#public-address",
    ),
    Step(
        "imports",
        _("Customers and purchases"),
        _("With them you can compare answers by type of customer and by product."),
        _("Import a file"),
        "imports",
    ),
    Step(
        "thumb",
        _("First thumb"),
        _("One answer of your own shows that all of it works, from page to overview."),
        _("Set up a touchpoint"),
        "touchpoints",
    ),
)


@dataclass(frozen=True, slots=True)
class Ticked:
    """A step, and whether it is done."""

    step: Step
    done: bool


@dataclass(frozen=True, slots=True)
class Checklist:
    """All steps in their order."""

    steps: list[Ticked]

    @property
    def done(self) -> int:
        return sum(one.done for one in self.steps)

    @property
    def complete(self) -> bool:
        return self.done == len(self.steps)


def checklist(organisation: Profile) -> Checklist:
    """Return all steps with their ticks, in five queries; nothing is remembered beside the data."""
    people = _people()
    # Each is asked, whatever the others say: the same queries for an empty and for a full product.
    imported = [
        ImportJob.objects.filter(status=ImportJob.Status.DONE).exists(),
        Customer.objects.exists(),
        Purchase.objects.exists(),
    ]
    done = {
        "administrator": people["administrators"] > 0,
        "colleagues": people["active"] > 1,
        "name": bool(organisation.chosen_name),
        "logo": organisation.has_logo,
        "accent": bool(organisation.accent),
        "formal": organisation.formal is not None,
        "time_zone": organisation.time_zone_checked_at is not None,
        "sender": organisation.has_sender,
        "https": settings.BASE_URL.startswith("https://"),
        "imports": any(imported),
        "thumb": Response.objects.filter(imported=False).exists(),
    }
    return Checklist([Ticked(step, done[step.key]) for step in STEPS])


def _people() -> dict[str, int]:
    active = Q(is_active=True)
    administrator = Q(is_superuser=True) | Q(groups__name=Role.ADMINISTRATOR)
    return User.objects.aggregate(
        active=Count("pk", filter=active, distinct=True),
        administrators=Count("pk", filter=active & administrator, distinct=True),
    )
