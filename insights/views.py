"""Pages for marketers: load, one call into the domain, render."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "insights/overview.html")


jobs = set_language = set_theme = set_up = healthz = readyz = overview
