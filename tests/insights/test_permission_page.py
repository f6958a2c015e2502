"""The page about permission: who sees it, what it says, how many queries it takes."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.insights.permission_history import half_a_year
from tests.insights.test_views import make_user

pytestmark = pytest.mark.django_db

QUERIES = 30


@pytest.fixture
def marketer(client: Client) -> Client:
    client.force_login(make_user())
    client.cookies["django_language"] = "en"
    return client


def test_the_page_takes_the_same_queries_with_one_and_three_purposes(
    marketer, django_assert_num_queries
):
    half_a_year(timezone.localdate())
    with django_assert_num_queries(QUERIES):
        page = marketer.get(reverse("permission"))
    assert page.status_code == 200
