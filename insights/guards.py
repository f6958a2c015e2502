"""Who may open a page that is not for every colleague; what each role may is in accounts.py."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache

from customers.models import Customer, Invalidation
from insights.accounts import may_manage_consent, roles_of

View = Callable[..., HttpResponseBase]


def only(
    may: Callable[[Iterable[str]], bool], *gone: type[ObjectDoesNotExist]
) -> Callable[[View], View]:
    """Return a guard that refuses colleagues whose roles may not; what is shown is kept nowhere.

    A row that is not there (any more), of these kinds, is a page that is not there.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(roles_of(request.user)):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except gone:
                raise Http404 from None

        return never_cache(guarded)

    return guard


consent_only = only(may_manage_consent, Customer.DoesNotExist, Invalidation.DoesNotExist)


def reader(request: HttpRequest) -> User:
    """Return the colleague who asks, behind a guard or the login."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
