"""What is open to strangers: a literal list of addresses, and no form without its token."""

from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.urls import URLPattern, get_resolver

API = {
    "api:purposes",
    "api:consent",
    "api:consent_of_many",
    "api:consent_withdraw",
    "api:consent_give",
    "api:contacts_check",
    "api:contacts_check_bulk",
    "api:contacts_reserve",
    "api:contacts_reserve_bulk",
    "api:contacts_confirm",
    "api:contacts_confirm_bulk",
    "api:contacts_release",
    "api:contacts_release_bulk",
    "api:contacts_fail",
    "api:contacts_links",
    "api:dose",
    "api:picks",
}

# Each with its reason; everything else asks for a login. What a stranger may do there is tested
# with the pages themselves.
PUBLIC = {
    # A mail provider tells what became of mails; its secret is the key.
    "mail_events",
    # Signing in, its second step, and a forgotten password.
    "account_login",
    "account_logout",
    "account_inactive",
    "account_confirm_login_code",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    # Says that colleagues are invited.
    "account_signup",
    # Links in mails of the login.
    "account_confirm_email",
    "account_email_verification_sent",
    # The token is the key, and it works once.
    "set_up",
    # The same for who is invited: the token is the key, works once, and for a week.
    "join",
    # Language and theme are chosen before signing in; both only set a cookie.
    "set_language",
    "set_theme",
    # Asked by the page that waits for the own shop, where nobody is signed in yet; says yes or no.
    "own_shop_open",
    # For whoever watches the machine.
    "healthz",
    "readyz",
    # Sends on to our own login.
    "admin:login",
    # The script that asks, on any site; and the same, pinned by its hash.
    "widget",
    "pinned_widget",
    # Where it sends answers, and says that it was shown: the customers of a shop have no login.
    "collector",
    "shown",
    # The question on a page of its own, for readers of a newsletter.
    "hosted",
    "rated",
    # Where permission is asked, and the button behind the link that confirms it.
    "opt_in",
    "confirm",
    # The logo above them.
    "logo",
    # Taking back what a mail named, and lowering anything else: the signed link is the key. Asking
    # for a link to the own page, and that page: a link that works once is the key to it.
    "unsubscribe",
    "preferences",
    "preferences_ask",
    "own_page",
    "own_page_data",
    "own_page_download",
    "own_page_correct",
    "own_page_erase",
    "own_page_close",
    # Other systems: each call but the description and an empty root asks for a key (test_api.py).
    *API,
    "api:openapi-json",
    "api:api-root",
}

# Views that take a POST without our token: they never look at a cookie, so a forged request is
# worth no more than one that anybody sends.
WITHOUT_TOKEN = {
    "mail_events",
    "collector",
    "shown",
    "hosted",
    "rated",
    "opt_in",
    "confirm",
    "unsubscribe",
    "preferences",
    "preferences_ask",
    # A key in a header, which no form can send.
    *API,
    "api:openapi-json",
    "api:api-root",
}


class Address(NamedTuple):
    name: str
    route: str
    view: object

    @property
    def public(self) -> bool:
        """As the middleware decides it: whatever is not marked asks for a login."""
        return not getattr(self.view, "login_required", True)


def addresses(patterns=None, before: str = "", space: str = "") -> Iterator[Address]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Address(f"{space}{pattern.name}", route, pattern.callback)
        else:
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from addresses(pattern.url_patterns, route, inner)


def test_the_walk_finds_the_addresses():
    names = {address.name for address in addresses()}
    assert {"overview", "jobs", "account_login", "mfa_index", "admin:index"} <= names


def test_a_login_is_asked_for_wherever_a_view_does_not_say_otherwise():
    middleware = settings.MIDDLEWARE
    login = "insights.middleware.LoginRequiredMiddleware"
    assert middleware.index(login) > middleware.index(
        "django.contrib.auth.middleware.AuthenticationMiddleware"
    )


def test_what_is_public_is_on_the_list_and_the_list_is_public():
    assert {address.name for address in addresses() if address.public} == PUBLIC


def test_no_name_stands_for_a_public_and_a_private_address():
    private = {address.name for address in addresses() if not address.public}
    assert private & PUBLIC == set()


def test_every_form_needs_its_token_but_those_on_the_list():
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE
    exempt = {a.name for a in addresses() if getattr(a.view, "csrf_exempt", False)}
    assert exempt == WITHOUT_TOKEN
