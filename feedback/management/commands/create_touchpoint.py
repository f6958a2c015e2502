"""Make a place where we ask: `manage.py create_touchpoint "Service page" --scale thumb --json`."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from customers.models import Category, Product
from customers.queries import categories_by_name, products_by_code
from feedback import places
from feedback.colours import ColourError
from feedback.models import Labels, ScaleKey, Theme, Touchpoint
from feedback.origins import OriginError
from feedback.places import TEXTS, Place, PlaceError
from feedback.snippets import LANGUAGES, Asked, hosted_url, newsletter_html, page_snippet

WRONG_USE = 2


class Command(BaseCommand):
    help = "Create a touchpoint and print what to paste into a page and a newsletter."
    # The checks import every page, which takes longer than the work.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="how colleagues call the place; each name is used once")
        parser.add_argument("--scale", required=True, choices=ScaleKey.values)
        parser.add_argument(
            "--origin",
            action="append",
            default=[],
            metavar="URL",
            help="a site that may send answers, as https://www.shop.example; may be repeated",
        )
        for language in LANGUAGES:
            parser.add_argument(f"--question-{language}", default="", metavar="TEXT")
            parser.add_argument(f"--thanks-{language}", default="", metavar="TEXT")
        parser.add_argument(
            "--labels", default="", choices=Labels.values, help="the words on the thumbs"
        )
        parser.add_argument("--product", default="", metavar="SKU")
        parser.add_argument("--category", default="", metavar="NAME")
        parser.add_argument("--theme", default="", choices=Theme.values)
        parser.add_argument("--accent", default="", metavar="COLOUR", help="as #3c48b8")
        parser.add_argument(
            "--exposures", action="store_true", help="count how often the widget is shown"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        try:
            touchpoint = create(options)
        except PlaceError as error:
            raise CommandError(str(error), returncode=WRONG_USE) from None
        except (OriginError, ColourError) as error:
            raise CommandError(str(error)) from None
        except IntegrityError:
            raise CommandError(
                f"There is a touchpoint named {options['name']!r} already. Choose another name."
            ) from None
        except DatabaseError as error:
            reason = " ".join(str(error).split())
            raise CommandError(
                f"The database refused ({reason}). Check DATABASE_URL, or prepare it with: "
                "python3 start.py setup"
            ) from None
        self.report(touchpoint, as_json=options["json"])

    def report(self, touchpoint: Touchpoint, *, as_json: bool) -> None:
        asked = Asked.at(touchpoint, settings.LANGUAGE_CODE[:2], settings.BASE_URL)
        document = {
            "key": touchpoint.key,
            "name": touchpoint.name,
            "scale": touchpoint.scale,
            "url": hosted_url(asked),
            "snippet": page_snippet(asked),
            "newsletter": newsletter_html(asked),
        }
        if as_json:
            self.stdout.write(json.dumps(document, ensure_ascii=False))
            return
        self.stdout.write(f"{document['key']}  {document['url']}")
        self.stdout.write(f"\nFor a web page:\n\n{document['snippet']}")
        self.stdout.write(f"\nFor a newsletter:\n\n{document['newsletter']}")
        if not touchpoint.origins:
            self.stderr.write(
                "\nNo --origin was given: only the hosted question takes answers, the widget "
                "does not. Add the address of the site on the page of the touchpoint."
            )


def create(options: dict[str, Any]) -> Touchpoint:
    """Store the touchpoint that the command line describes.

    Raises what Place raises, CommandError for what is not there, and IntegrityError for a name
    that is taken.
    """
    place = Place(
        name=options["name"].strip(),
        labels=options["labels"],
        product=_product(options["product"]),
        category=_category(options["category"]),
        origins=options["origin"],
        theme=options["theme"],
        accent=options["accent"],
        counts_exposures=options["exposures"],
        **{name: options[name].strip() for name in TEXTS},
    )
    with transaction.atomic():
        return places.create_touchpoint(scale=options["scale"], place=place, now=timezone.now())


def _product(code: str) -> Product | None:
    if not code:
        return None
    found = next(iter(products_by_code([code]).values()), None)
    if found is None:
        raise CommandError(f"There is no product {code!r}. Import it first, or leave it out.")
    return found


def _category(name: str) -> Category | None:
    if not name:
        return None
    found = next(iter(categories_by_name([name]).values()), None)
    if found is None:
        raise CommandError(f"There is no category {name!r}. Import it first, or leave it out.")
    return found
