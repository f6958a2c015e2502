"""What pages and strangers get from the collector and the script, to the letter."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from customers.limits import Limiter
from feedback import public, scripts
from feedback.models import Exposure, Response, ResponseEdit
from feedback.services import submit_response
from tests.feedback.posts import SITE, an_answer_body, an_edit_body, make_asking, new_key, send
from tests.feedback.recount import check_counts
from tests.makers import an_answer, make_category, make_product
from tests.project.test_public import addresses

EVERYTHING = {
    "key": "0192f0c1-6a3e-7c55-9b1d-5d1f6a0f1c2e",
    "value": 3,
    "product": "B-12",
    "lang": "nl-BE",
    "comment": " Te vaak! ",
    "reason": "too_often",
    "subject": "no.subject.at-all",
}


def stored_columns() -> list[tuple]:
    columns = ("key", "scale", "value", "reason", "comment", "language", "channel", "imported")
    return list(Response.objects.order_by("pk").values_list(*columns))


# -- What is taken in -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_answer_is_created_and_then_acknowledged():
    touchpoint = make_asking(thanks_nl="Dank je wel!")
    response = send(touchpoint, EVERYTHING)
    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "key": EVERYTHING["key"],
        "thanks": "Dank je wel!",
        "subject": "invalid",
    }
    assert "Idempotent-Replayed" not in response
    assert stored_columns() == [
        (EVERYTHING["key"], "nps", 3, "too_often", "Te vaak!", "nl-be", "web", False)
    ]
    check_counts()


@pytest.mark.django_db
@pytest.mark.parametrize("lang", [None, "", "en", "fr", "nl"])
def test_the_thanks_are_those_of_the_touchpoint_in_the_language_of_the_answer(lang):
    touchpoint = make_asking(thanks_nl="Dank je.", thanks_en="Thank you.")
    body = an_answer_body() if lang is None else an_answer_body(lang=lang)
    # In English only where English was asked for: the organisation itself is Dutch.
    assert send(touchpoint, body).json()["thanks"] == ("Thank you." if lang == "en" else "Dank je.")


@pytest.mark.django_db
def test_the_same_answer_again_is_acknowledged_and_not_stored_again():
    touchpoint = make_asking()
    first = send(touchpoint, EVERYTHING)
    again = send(touchpoint, json.dumps(EVERYTHING, indent=2), content_type="application/json")
    assert (again.status_code, again["Idempotent-Replayed"]) == (200, "true")
    assert again.content == first.content
    assert Response.objects.count() == 1
    check_counts()


@pytest.mark.django_db
def test_a_change_is_created_and_its_repetition_acknowledged():
    touchpoint = make_asking()
    answer = an_answer_body(value=2, lang="nl")
    send(touchpoint, answer)
    edit = an_edit_body(answer, value=8, reason="useful", comment="Beter nu.")
    first, again = send(touchpoint, edit), send(touchpoint, edit)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again["Idempotent-Replayed"] == "true"
    assert first.json() == {"key": edit["key"], "thanks": ""}
    assert again.content == first.content
    assert stored_columns() == [
        (answer["key"], "nps", 8, "useful", "Beter nu.", "nl", "web", False)
    ]
    assert ResponseEdit.objects.count() == 1
    check_counts()


@pytest.mark.django_db
@pytest.mark.parametrize("counts", [True, False], ids=["counted", "not counted"])
def test_a_widget_that_was_shown_is_counted_where_its_touchpoint_counts(counts):
    touchpoint = make_asking(counts_exposures=counts)
    for _ in range(3):
        response = send(touchpoint, b"", to="shown/")
        assert (response.status_code, response.content) == (204, b"")
    expected = [("shown", 0, 3)] if counts else []
    assert list(Exposure.objects.values_list("kind", "campaign_id", "n")) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/plain;charset=UTF-8", "application/json", "Text/Plain; charset=latin-1"],
)
def test_a_body_is_read_as_utf_8_whatever_the_type_says(content_type):
    body = json.dumps(an_answer_body(comment="Één ☃"), ensure_ascii=False).encode()
    assert send(make_asking(), body, content_type=content_type).status_code == 201
    assert Response.objects.get().comment == "Één ☃"


# -- What is not ----------------------------------------------------------------------------------

OTHER = new_key()
# How the request differs from one that is taken in; then the status, the error and its field.
REFUSALS = {
    "no JSON": ({"body": "value=9"}, 400, "malformed", ""),
    "nothing": ({"body": b" "}, 400, "malformed", ""),
    "no object": ({"body": "[9]"}, 400, "malformed", ""),
    "not UTF-8": ({"body": b'{"comment": "\xff"}'}, 400, "malformed", ""),
    "not a number": ({"body": '{"value": NaN}'}, 400, "malformed", ""),
    "no origin": ({"origin": None}, 403, "origin", ""),
    "another origin": ({"origin": "https://evil.example"}, 403, "origin", ""),
    "no such touchpoint": ({"touchpoint": "nps-000000000000"}, 404, "touchpoint", ""),
    "a NUL for a touchpoint": ({"touchpoint": "%00"}, 404, "touchpoint", ""),
    "a very long key": ({"touchpoint": "nps-" + "0" * 999}, 404, "touchpoint", ""),
    "no such answer": ({"body": an_edit_body({"key": OTHER}, value=1)}, 404, "edits", "edits"),
    "GET": ({"method": "GET"}, 405, "method", ""),
    "PUT": ({"method": "PUT"}, 405, "method", ""),
    "PATCH": ({"method": "PATCH"}, 405, "method", ""),
    "DELETE": ({"method": "DELETE"}, 405, "method", ""),
    "too large": ({"body": b" " * 8193}, 413, "too_large", "comment"),
    "a form": ({"content_type": "multipart/form-data"}, 415, "content_type", ""),
    "no type": ({"content_type": ""}, 415, "content_type", ""),
    "off the scale": ({"body": an_answer_body(value=11)}, 422, "rule", "value"),
    "no value": ({"body": {"key": OTHER}}, 422, "rule", "value"),
    "no UUID": ({"body": an_answer_body(key="1")}, 422, "rule", "key"),
    "unknown reason": ({"body": an_answer_body(reason="bored")}, 422, "rule", "reason"),
    "unknown field": ({"body": an_answer_body(coment="!")}, 422, "rule", '"coment"'),
    "long comment": ({"body": an_answer_body(comment="x" * 2001)}, 422, "rule", "comment"),
    "a key that is taken": ({"body": {**EVERYTHING, "value": 4}}, 422, "key", "key"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_what_is_wrong_and_stores_nothing(name):
    differs, status, error, field = REFUSALS[name]
    touchpoint = make_asking()
    assert send(touchpoint, EVERYTHING).status_code == 201
    before = stored_columns()
    response = send(**{"touchpoint": touchpoint, "body": an_answer_body()} | differs)
    assert response.status_code == status
    said = response.json()
    assert (said["error"], said["field"]) == (error, field)
    assert set(said) == {"error", "field", "message"}
    assert said["message"].endswith((".", "…}.")), said["message"]
    assert stored_columns() == before
    check_counts()
    # A refusal too is for the page that asked, if that page may ask at all.
    trusted = status not in (403, 405) and error != "touchpoint"
    assert response.get("Access-Control-Allow-Origin") == (SITE if trusted else None)
    assert ("Allow" in response) == (status == 405)


@pytest.mark.django_db
def test_head_is_refused_like_get():
    response = send(make_asking(), b"", method="HEAD")
    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.django_db
def test_a_body_of_8_kib_fits():
    body = json.dumps(an_answer_body()).encode()
    assert send(make_asking(), body + b" " * (8192 - len(body))).status_code == 201


@pytest.mark.django_db
def test_a_score_of_yesterday_stands():
    touchpoint = make_asking()
    answer = an_answer_body()
    yesterday = timezone.now() - timedelta(hours=25)
    submit_response(an_answer(touchpoint=touchpoint, key=answer["key"], answered_at=yesterday))
    response = send(touchpoint, an_edit_body(answer, value=1))
    assert response.status_code == 409
    assert (response.json()["error"], response.json()["field"]) == ("too_late", "value")
    assert response["Access-Control-Allow-Origin"] == SITE
    assert send(touchpoint, an_edit_body(answer, comment="Still.")).status_code == 201
    assert Response.objects.get().value == 9


@pytest.mark.django_db
@pytest.mark.parametrize("limit", ["per_address", "per_touchpoint"])
@pytest.mark.parametrize("to", ["", "shown/"], ids=["answers", "showings"])
def test_beyond_its_limit_each_has_to_wait_and_keeps_the_other_not_out(monkeypatch, limit, to):
    """Showing a page often must not use up what is for answers."""
    monkeypatch.setattr(public, limit if not to else f"seen_{limit}", Limiter(1))
    touchpoint = make_asking(counts_exposures=True)
    other = "shown/" if not to else ""
    for path in (to, other, other):
        body = b"" if path else an_answer_body()
        assert send(touchpoint, body, to=path).status_code == (204 if path else 201)
    response = send(touchpoint, b"" if to else an_answer_body(), to=to)
    assert (response.status_code, response.json()["error"]) == (429, "limit")
    assert 55 <= int(response["Retry-After"]) <= 60
    assert response["Access-Control-Allow-Origin"] == SITE
    assert "Retry-After" in response["Access-Control-Expose-Headers"]
    counts = Response.objects.count(), Exposure.objects.get(kind="shown").n
    assert counts == ((2, 1) if to else (1, 2))


@pytest.mark.django_db
def test_one_address_at_its_limit_keeps_no_other_out(monkeypatch):
    monkeypatch.setattr(public, "per_address", Limiter(1))
    touchpoint = make_asking()
    statuses = [
        send(touchpoint, an_answer_body(), client=Client(REMOTE_ADDR=address)).status_code
        for address in ("203.0.113.1", "203.0.113.1", "203.0.113.2")
    ]
    assert statuses == [201, 429, 201]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("hops", "statuses"), [(0, [201, 429]), (1, [201, 201])], ids=["no proxy", "one proxy"]
)
def test_a_forwarded_address_counts_if_a_proxy_of_ours_wrote_it(
    monkeypatch, settings, hops, statuses
):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = hops
    monkeypatch.setattr(public, "per_address", Limiter(1))
    touchpoint = make_asking()
    sent = [
        send(touchpoint, an_answer_body(), headers={"x-forwarded-for": f"192.0.2.9, {client}"})
        for client in ("203.0.113.1", "203.0.113.2")
    ]
    assert [response.status_code for response in sent] == statuses


@contextmanager
def database_locked() -> Iterator[None]:
    """Another connection holds what an answer needs; ours waits for it no longer than a moment."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout" if sqlite else "SHOW lock_timeout")
        (usual,) = cursor.fetchone()
        cursor.execute("PRAGMA busy_timeout = 100" if sqlite else "SET lock_timeout = '100ms'")
    with closing(connection.copy()) as other, other.cursor() as holding:
        holding.execute("BEGIN IMMEDIATE" if sqlite else "BEGIN")
        if not sqlite:
            holding.execute(f"LOCK TABLE {Response._meta.db_table} IN EXCLUSIVE MODE")
        yield
        holding.execute("ROLLBACK")
    with connection.cursor() as cursor:
        cursor.execute(
            f"PRAGMA busy_timeout = {usual}" if sqlite else f"SET lock_timeout = '{usual}'"
        )


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_while_the_database_is_busy_an_answer_is_asked_for_again():
    touchpoint, body = make_asking(), an_answer_body()
    with database_locked():
        response = send(touchpoint, body)
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert response.json() == {
            "error": "busy",
            "field": "",
            "message": "Nothing is stored yet. Try again.",
        }
        assert response["Access-Control-Allow-Origin"] == SITE
    assert not Response.objects.exists()
    assert send(touchpoint, body).status_code == 201


# -- Which pages ----------------------------------------------------------------------------------

ALLOWED = [
    SITE,
    "https://shop.example:8443",
    "http://localhost:8080",
    "https://xn--bcher-kva.example",
    "http://[::1]:3000",
]
FOREIGN = [
    "",
    "null",
    "undefined",
    "*",
    "https://*",
    "https://*.shop.example",
    "https://shop.example",
    "https://evil.www.shop.example",
    "https://www.shop.example.evil.test",
    "https://evilwww.shop.example",
    "https://www.shop.exampl",
    "https://www.shop.example.",
    "https://wwwxshop.example",
    "https://www-shop.example",
    "https://www.shop.example/",
    "https://www.shop.example/page",
    "https://www.shop.example:443",
    "https://www.shop.example:8443",
    "https://www.shop.example?",
    "https://www.shop.example#",
    "https://www.shop.example@evil.test",
    "https://evil.test#https://www.shop.example",
    "https://evil.test, https://www.shop.example",
    "https://www.shop.example https://evil.test",
    "http://www.shop.example",
    "HTTPS://www.shop.example",
    "https://WWW.shop.example",
    "wss://www.shop.example",
    "www.shop.example",
    "//www.shop.example",
    "https://b\xfccher.example",
    "http://localhost",
    "http://localhost:80",
    "http://localhost:8081",
    "http://localhost:80801",
    "http://127.0.0.1:8080",
    "http://[::1]",
    "file://",
    "chrome-extension://abcdefghijklmnop",
    "https://www.shop.example\x00",
]


def seen_from(origin: str) -> list[tuple[int, str | None, str | None]]:
    """Send all that a page can; return the statuses and who may read the responses."""
    touchpoint = make_asking(origins=ALLOWED, counts_exposures=True)
    responses = [
        send(touchpoint, an_answer_body(), origin=origin),
        send(touchpoint, b"nonsense", origin=origin),
        send(touchpoint, b"", to="shown/", origin=origin),
        send(touchpoint, b"", method="OPTIONS", origin=origin),
        send(touchpoint, b"", method="OPTIONS", to="shown/", origin=origin),
    ]
    reading = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
    return [
        (response.status_code, *(response.get(header) for header in reading))
        for response in responses
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ALLOWED)
def test_a_page_on_the_list_is_heard_and_may_read_what_is_said(origin):
    reading = (origin, "Retry-After, Idempotent-Replayed")
    assert seen_from(origin) == [(status, *reading) for status in (201, 400, 204, 204, 204)]


@pytest.mark.django_db
@pytest.mark.parametrize("origin", FOREIGN)
def test_any_other_page_is_not(origin):
    assert seen_from(origin) == [(403, None, None)] * 5
    assert not Response.objects.exists()
    assert not Exposure.objects.exists()


def test_the_table_of_addresses_is_long_enough():
    assert len({*ALLOWED, *FOREIGN}) >= 40


@pytest.mark.django_db
@pytest.mark.parametrize("to", ["", "shown/"])
def test_a_browser_that_asks_first_hears_what_it_may_send(to):
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    response = send(make_asking(), b"", method="OPTIONS", to=to, headers=asks)
    assert (response.status_code, response.content) == (204, b"")
    told = {name: value for name, value in response.items() if name.startswith("Access-Control")}
    assert told == {
        "Access-Control-Allow-Origin": SITE,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Expose-Headers": "Retry-After, Idempotent-Replayed",
        "Access-Control-Max-Age": "7200",
    }


@pytest.mark.django_db
def test_no_other_address_of_the_product_lets_a_page_read_it():
    readable = set()
    for address in addresses():
        if not set("<(?") & set(address.route):
            response = Client().get(f"/{address.route}", headers={"origin": SITE})
            if "Access-Control-Allow-Origin" in response:
                readable.add(address.name)
            assert "Access-Control-Allow-Credentials" not in response
    assert readable == {"widget"}


# -- Who is asking --------------------------------------------------------------------------------


@pytest.fixture
def signed_in() -> Client:
    """A superuser's browser in which English was chosen, where forms need their token."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("kim", "kim@example.org", "secret"))
    client.cookies["django_language"] = "en"
    return client


def all_it_says(client: Client | None) -> list[tuple]:
    """Send one of everything; return the responses, byte by byte."""
    touchpoint = make_asking(counts_exposures=True, thanks_nl="Dank je.", thanks_en="Thank you.")
    edit = an_edit_body(EVERYTHING, value=5) | {"key": OTHER}
    requests = [
        {"body": EVERYTHING},
        {"body": EVERYTHING},
        {"body": EVERYTHING | {"value": 4}},
        {"body": edit},
        {"body": edit},
        {"body": b"", "to": "shown/"},
        {"body": b"", "method": "OPTIONS"},
        *({"body": {"key": OTHER}} | differs for differs, *_ in REFUSALS.values()),
    ]
    responses = [
        send(**{"touchpoint": touchpoint, "client": client} | request) for request in requests
    ]
    return [
        (response.status_code, sorted(response.items()), response.content) for response in responses
    ]


@pytest.mark.django_db
def test_a_colleagues_cookies_change_nothing_at_all(signed_in):
    assert all_it_says(signed_in) == all_it_says(None)
    assert signed_in.get("/").status_code == 200


def everything_stored() -> str:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return "\n".join(map(repr, rows))


@pytest.mark.django_db
def test_nothing_of_who_sent_an_answer_is_kept():
    client = Client(
        REMOTE_ADDR="203.0.113.77",
        headers={
            "user-agent": "CanaryBrowser/1.0",
            "x-forwarded-for": "198.51.100.23",
            "referer": f"{SITE}/canary-page",
            "accept-language": "nl-CANARY",
            "cookie": "visitor=canary-cookie",
        },
    )
    touchpoint = make_asking(counts_exposures=True)
    answer = an_answer_body(comment="What was said is kept.", subject="canary-subject")
    send(touchpoint, answer, client=client)
    send(touchpoint, an_edit_body(answer, value=2), client=client)
    send(touchpoint, b"", to="shown/", client=client)
    kept = everything_stored()
    assert "What was said is kept." in kept
    for trace in ("203.0.113", "198.51.100", "anary", "CANARY", SITE + "/"):
        assert trace not in kept


# -- What it costs --------------------------------------------------------------------------------

# Of a new answer: the touchpoint; whether its key is that of an edit; the answer; its change;
# and a savepoint in the place of BEGIN and COMMIT.
NEW = 6
# The insert that finds the key taken, and what is stored under it, instead of a change.
AGAIN = 6
# The touchpoint, whose answer it is, the answer, two looks at the edit's key, the edit, the answer
# again, what it becomes, its two changes in one, and three savepoints.
EDIT = 15
# Up to the edit's own key, and one savepoint.
EDIT_AGAIN = 6


@pytest.mark.django_db
def test_an_answer_costs_the_same_statements_with_one_and_with_three(django_assert_num_queries):
    product = make_product(category=make_category())
    touchpoint, about_a_product = make_asking(), make_asking(product=product)
    for _ in range(3):
        answer = an_answer_body()
        with django_assert_num_queries(NEW):
            send(touchpoint, answer)
        with django_assert_num_queries(AGAIN):
            send(touchpoint, answer)
        edit = an_edit_body(answer, value=1)
        with django_assert_num_queries(EDIT):
            send(touchpoint, edit)
        with django_assert_num_queries(EDIT_AGAIN):
            send(touchpoint, edit)
        with django_assert_num_queries(NEW + 1):
            send(touchpoint, an_answer_body(product=product.sku))
        # The product and its category.
        with django_assert_num_queries(NEW + 2):
            send(about_a_product, an_answer_body())


@pytest.mark.django_db
def test_a_page_that_may_not_ask_costs_one_look_and_a_wrong_method_none(django_assert_num_queries):
    touchpoint = make_asking()
    with django_assert_num_queries(1):
        send(touchpoint, an_answer_body(), origin="https://evil.example")
    with django_assert_num_queries(1):
        send(touchpoint, b"nonsense")
    with django_assert_num_queries(0):
        send(touchpoint, b"", method="GET")


# -- The script -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _read_the_script_anew():
    scripts.load.cache_clear()


def get_script(path: str = "/widget.js", client: Client | None = None, **headers):
    response = (client or Client()).get(path, headers=headers)
    assert not response.cookies
    return response


FOR_ANY_SITE = {
    "Content-Type": "text/javascript; charset=utf-8",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


def source() -> bytes:
    return (scripts.DIRECTORY / "widget.js").read_bytes()


def hash_of(script: bytes) -> str:
    return hashlib.sha256(script).hexdigest()[:16]


def test_the_script_is_for_any_site_and_is_asked_for_again_after_an_hour():
    response = get_script()
    assert (response.status_code, response.content) == (200, source())
    assert response.headers.items() >= FOR_ANY_SITE.items()
    assert response["Cache-Control"] == "public, max-age=3600"


def test_who_has_the_script_hears_that_it_is_the_newest():
    etag = get_script()["ETag"]
    response = get_script(**{"if-none-match": etag})
    assert (response.status_code, response.content) == (304, b"")
    kept = ("ETag", "Cache-Control", "Vary")
    assert [response[name] for name in kept] == [
        etag,
        "public, max-age=3600",
        "Accept-Encoding",
    ]
    assert get_script(**{"if-none-match": 'W/"0"'}).status_code == 200


def test_the_script_travels_zipped_to_who_can_read_that():
    response = get_script(**{"accept-encoding": "br, gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert response.headers.items() >= FOR_ANY_SITE.items()
    assert gzip.decompress(response.content) == source()
    assert response["ETag"] == get_script()["ETag"]
    assert "Content-Encoding" not in get_script(**{"accept-encoding": "br"})


def test_a_pinned_script_stays_what_it_is():
    path = f"/widget.{hash_of(source())}.js"
    response = get_script(path)
    assert (response.status_code, response.content) == (200, source())
    assert response.headers.items() >= FOR_ANY_SITE.items()
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_script_that_never_was_is_not_found():
    response = get_script(f"/widget.{'0' * 16}.js")
    assert (response.status_code, response["Content-Type"]) == (404, "text/plain")


@pytest.mark.django_db
@pytest.mark.parametrize("hash", ["0" * 15, "0" * 64, "ABCDEF0123456789", "..%2f..%2fmanage"])
def test_what_is_no_hash_is_no_address(hash):
    assert Client().get(f"/widget.{hash}.js").status_code == 404


def test_a_page_that_pinned_an_earlier_script_keeps_it(monkeypatch, tmp_path):
    earlier = b"// the widget of last year\n"
    (tmp_path / "released").mkdir()
    (tmp_path / "widget.js").write_bytes(b"// the widget of now\n")
    (tmp_path / "released" / f"{hash_of(earlier)}.js").write_bytes(earlier)
    monkeypatch.setattr(scripts, "DIRECTORY", tmp_path)
    assert get_script(f"/widget.{hash_of(earlier)}.js").content == earlier


def test_every_released_script_has_the_name_of_what_it_says():
    released = (scripts.DIRECTORY / "released").glob("*")
    assert [path.name for path in released if path.name != f"{hash_of(path.read_bytes())}.js"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"accept-encoding": "gzip"}], ids=["plain", "zipped"])
def test_a_colleague_gets_the_same_script(signed_in, headers):
    for path in ("/widget.js", f"/widget.{hash_of(source())}.js"):
        ours, anybodys = get_script(path, signed_in, **headers), get_script(path, **headers)
        assert sorted(ours.items()) == sorted(anybodys.items())
        assert ours.content == anybodys.content


def test_the_script_of_now_is_kept_for_the_pages_that_pin_it():
    kept = scripts.DIRECTORY / "released" / f"{hash_of(source())}.js"
    # cp static/widget/widget.js to that name when the script is done.
    assert kept.is_file(), f"keep static/widget/widget.js as released/{kept.name} too"
