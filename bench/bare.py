"""The product with one view more: the least that Django can do with a POST.

Run as `bare`, not as a part of this package, which would give it another var/.
"""

import os

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "insights.settings")
application = get_wsgi_application()

from insights.urls import urlpatterns as product  # noqa: E402  (after the set-up)


@csrf_exempt
@login_not_required
def bare(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"key": "0192f0c1-6a3e-7c55-9b1d-5d1f6a0f1c2e", "thanks": ""}, status=201)


urlpatterns = [path("bare/", bare), *product]
settings.ROOT_URLCONF = "bare"
