"""What travels small: the pages of colleagues; what customers get stays as it is."""

import gzip

import pytest
from django.test import Client

from tests.feedback.posts import make_asking
from tests.insights.test_views import make_user

pytestmark = pytest.mark.django_db
ZIPPED = {"Accept-Encoding": "gzip"}


def test_a_page_of_a_colleague_is_compressed():
    staff = Client()
    staff.force_login(make_user())
    page = staff.get("/jobs/", headers=ZIPPED)
    assert page["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(page.content)
    assert "Content-Encoding" not in staff.get("/jobs/")


def test_an_etag_still_holds_for_a_compressed_page():
    staff = Client()
    staff.force_login(make_user())
    staff.get("/")
    while True:
        first = staff.get("/", headers=ZIPPED)
        again = staff.get("/", headers=ZIPPED | {"If-None-Match": first["ETag"]})
        if staff.get("/", headers=ZIPPED)["ETag"] == first["ETag"]:  # within one minute
            assert first["ETag"].startswith('W/"')
            assert again.status_code == 304
            return


def test_what_customers_get_is_as_it_was():
    page = Client().get(f"/v/{make_asking().key}/", headers=ZIPPED)
    assert page.status_code == 200
    assert len(page.content) > 200
    assert "Content-Encoding" not in page
