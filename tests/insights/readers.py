"""Somebody of a role who reads pages in English, and what a page says."""

import re
from html import unescape

from django.contrib.auth.models import Group, User
from django.http import HttpResponse
from django.test import Client

from insights.accounts import Role


def sign_in(client: Client, role: Role) -> Client:
    user = User.objects.create_user("noor", "noor@example.org", "x", first_name="Noor")
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def text(response: HttpResponse) -> str:
    """The words of a page, without its tags."""
    assert response.status_code == 200
    body = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(unescape(body).split())
