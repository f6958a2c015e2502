"""The import pages: who may see them, what they refuse, what they show before and after."""

import gzip
import io
import random
import re
import zipfile

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from feedback.models import Response, Touchpoint
from insights import importing
from insights.accounts import Role
from insights.models import ImportJob
from tests.insights.uploads import make_draft, make_queued, plan_of, run
from tests.makers import NOW, make_touchpoint

pytestmark = pytest.mark.django_db

CUSTOMERS = "reference,name\nK1,Ada\nK2,Bob\n"
VOTES = "created_at,score,app\n2026-05-02T10:00:00Z,1,chat\n2026-05-03T10:00:00Z,-1,chat\n"
RECODES = {"recode-TOTAL_FORMS": 3, "recode-INITIAL_FORMS": 0}


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def make_colleague(*roles: str, **given) -> User:
    name = "+".join(roles) or "nobody"
    user = User.objects.create_user(username=name, email=f"{name}@example.org", **given)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def signed_in(*roles: str, **given) -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(make_colleague(*roles, **given))
    return client


@pytest.fixture
def staff() -> Client:
    return signed_in(Role.MARKETER)


def text(response) -> str:
    """The words of a page, without its tags."""
    main = response.content.decode().split("<main", 1)[1]
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("\xa0", " ").split())


def upload(staff: Client, content: bytes, kind: str = "customers", name: str = "f.csv"):
    file = SimpleUploadedFile(name, content)
    return staff.post(reverse("imports"), {"kind": kind, "file": file})


def files(media) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file())


# -- Who may ------------------------------------------------------------------------------------

ADDRESSES = {
    "imports": ("GET", "POST"),
    "import": ("GET", "POST"),
    "import_preview": ("GET", "POST"),
    "import_progress": ("GET",),
    "import_rejects": ("GET",),
    "import_stop": ("POST",),
    "import_discard": ("POST",),
    "import_approve": ("POST",),
}
REQUESTS = [(name, method) for name, methods in ADDRESSES.items() for method in methods]


def ask(client: Client, name: str, method: str, pk: int):
    address = reverse(name, args=[] if name == "imports" else [pk])
    response = client.generic(method, address)
    if response.streaming:
        # The file is closed once it has been read.
        b"".join(response)
    return response


@pytest.mark.parametrize(
    ("roles", "given", "may"),
    [
        pytest.param([Role.MARKETER], {}, True, id="marketer"),
        pytest.param([Role.ADMINISTRATOR], {}, True, id="administrator"),
        pytest.param([], {"is_superuser": True}, True, id="superuser"),
        pytest.param([Role.CONSENT_ADMIN, Role.MARKETER], {}, True, id="both"),
        pytest.param([Role.CONSENT_ADMIN], {}, False, id="consent admin"),
        pytest.param([], {}, False, id="no role"),
        pytest.param([], {"is_staff": True}, False, id="admin site only"),
    ],
)
def test_marketers_and_administrators_may_import(roles, given, may):
    job = run("reference,name\n,Nobody\n")
    client = signed_in(*roles, **given)
    for name, method in REQUESTS:
        if name != "imports":
            code = ask(client, name, method, job.pk).status_code
            assert code in ({200, 302} if may else {403}), f"{method} {name}"


@pytest.mark.parametrize(
    ("role", "shown", "asked"),
    [(Role.MARKETER, True, True), (Role.CONSENT_ADMIN, True, False), (None, False, False)],
)
def test_the_way_there_is_shown_to_those_who_may_go_it(role, shown, asked):
    page = signed_in(*([role] if role else [])).get("/").content.decode()
    assert (f'href="{reverse("imports")}"' in page) is shown
    assert ("Import a file" in page) is asked


def test_an_import_that_is_not_there(staff):
    for name, method in REQUESTS:
        if name != "imports":
            assert ask(staff, name, method, 404).status_code == 404, f"{method} {name}"


def test_no_copy_of_what_is_shown_stays_behind(staff):
    job = run("reference,name\n,Nobody\n")
    for name, method in REQUESTS:
        assert "no-store" in ask(staff, name, method, job.pk)["Cache-Control"], f"{method} {name}"


# -- The list -----------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_begin_with(staff):
    page = text(staff.get(reverse("imports")))
    assert "Nothing was imported yet" in page
    assert "Begin with your products and customers" in page


def test_the_list_says_who_when_and_how_many(staff):
    run("reference,name\nK1,Ada\nK2,Bob\n,Nobody\n")
    make_queued(CUSTOMERS)
    page = text(staff.get(reverse("imports")))
    assert "1 import is under way" in page
    assert "f.csv Customers Done 24 Nov 2026 13:00 Noor Demo 3 2 0 0 1" in page
    assert re.search(r"f\.csv Customers Waiting", page)


LIST_QUERIES = 8


def test_the_list_takes_the_same_queries_with_one_and_three(staff, django_assert_num_queries):
    run(CUSTOMERS)
    with django_assert_num_queries(LIST_QUERIES):
        staff.get(reverse("imports"))
    make_queued(CUSTOMERS)
    make_draft(CUSTOMERS)
    with django_assert_num_queries(LIST_QUERIES):
        staff.get(reverse("imports"))


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30, "١", "\0"])
def test_any_place_in_the_list_gives_a_page(staff, before):
    assert staff.get(reverse("imports"), {"before": before}).status_code == 200


def test_a_long_list_goes_on_on_the_next_page(staff):
    for _ in range(27):
        make_draft(CUSTOMERS)
    page = staff.get(reverse("imports")).content.decode()
    assert page.count('class="ci-file"') == 25
    older = re.search(r'href="(\?before=\d+)"', page)[1]
    rest = staff.get(reverse("imports") + older).content.decode()
    assert rest.count('class="ci-file"') == 2
    assert "Older imports" not in rest


# -- Uploading ----------------------------------------------------------------------------------


def test_an_upload_leads_to_its_columns(staff, media):
    response = upload(staff, CUSTOMERS.encode())
    job = ImportJob.objects.get()
    assert response.url == reverse("import", args=[job.pk])
    assert (job.status, job.created_by.username) == ("draft", Role.MARKETER)
    assert len(files(media)) == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("\ufeffreference;name\nK1;Ada\n".encode(), id="BOM and semicolon"),
        pytest.param("reference\tname\nK1\tAda\n".encode("utf-16"), id="UTF-16"),
        pytest.param(gzip.compress(CUSTOMERS.encode()), id="gz"),
        pytest.param(b'reference,"na\nme"\rK1,Ada\r', id="line break in a name, CR"),
        pytest.param(b"reference\n", id="only names"),
    ],
)
def test_files_of_many_makes_are_read(staff, content):
    response = upload(staff, content)
    assert staff.get(response.url).status_code == 200
    assert staff.get(response.url + "preview/").status_code == 302


def workbook() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return memory.getvalue()


HOSTILE = [
    pytest.param(b"", "The submitted file is empty.", id="empty"),
    pytest.param(b"\n\n  \n", "the file is empty; it needs a line", id="blank lines"),
    pytest.param(workbook(), "This is a spreadsheet or a zip file", id="xlsx"),
    pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, "This is a spreadsheet", id="old xls"),
    pytest.param(b"SQLite format 3\0\x10", "NUL byte", id="database"),
    pytest.param(b"\x89PNG\r\n\x1a\n\0\0", "not UTF-8", id="picture"),
    pytest.param("naam,géén\n".encode("latin-1"), "not UTF-8", id="wrong encoding"),
    pytest.param(b"\xff\xfea", "cut off or not the UTF-16", id="half a character of UTF-16"),
    pytest.param(b"a," * 10_000, "10,001 columns, at most 500", id="10,000 columns"),
    pytest.param(b"a" * 10_000_000, "longer than 1,048,576 characters", id="10 MB name"),
    pytest.param(b'"a,b\nK1,Ada\n', "a quote opens a cell", id="open quote"),
    pytest.param(b"a,a\n", "more than one column is named 'a'", id="two of one name"),
    pytest.param(b",,\n", "no column has a name", id="no names"),
    pytest.param(gzip.compress(b"a" * 60_000_000), "longer than 1,048,576", id="gz bomb"),
    pytest.param(gzip.compress(b"a,b\n" * 99)[:12], "damaged or cut off", id="half a gz"),
    pytest.param(b"\x1f\x8bnonsense", "damaged or cut off", id="not really gz"),
    pytest.param(gzip.compress(workbook()), "NUL byte", id="xlsx in gz"),
]


@pytest.mark.parametrize(("content", "words"), HOSTILE)
def test_what_is_no_csv_is_refused_in_words_and_not_kept(staff, media, content, words):
    response = upload(staff, content)
    assert response.status_code == 200
    assert words in text(response).replace("&#x27;", "'")
    assert (ImportJob.objects.count(), files(media)) == (0, [])


def test_any_bytes_give_a_page(staff):
    rnd = random.Random(7)
    for length in range(1, 60, 3):
        response = upload(staff, rnd.randbytes(length), rnd.choice(ImportJob.Kind.values))
        assert response.status_code in {200, 302}
        if response.status_code == 302:
            assert staff.get(response.url).status_code == 200


def test_a_file_that_is_too_large_is_refused_while_it_comes_in(staff, media, settings):
    settings.IMPORT_UPLOAD_MAX_BYTES = 1_000
    assert upload(staff, b"reference\n" + b"K\n" * 495).status_code == 302
    response = upload(staff, b"reference\n" + b"K\n" * 496)
    assert "The file is larger than 1000 bytes" in text(response)
    assert "manage.py import_customers" in text(response)
    assert ImportJob.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose a file."),
        ({"kind": "secrets"}, "secrets is not one of the available choices"),
        ({"file": SimpleUploadedFile("f.csv", b"a\n")}, "Choose what is in the file."),
    ],
)
def test_an_upload_needs_a_kind_and_a_file(staff, given, words):
    assert words in text(staff.post(reverse("imports"), given))


def test_the_reason_for_a_refusal_is_marked_as_english(staff):
    staff.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "nl"
    page = upload(staff, b",,\n").content.decode()
    assert '<span lang="en">no column has a name; write names in the first line.</span>' in page


# -- Columns ------------------------------------------------------------------------------------


def make_votes(staff: Client) -> str:
    return upload(staff, VOTES.encode(), "responses", "votes.csv").url


def map_votes(staff: Client, address: str, **given):
    """Choose the columns of VOTES; `given` changes single fields."""
    chosen = {
        "column_answered_at": "0",
        "column_value": "1",
        "constant_scale": "thumb",
        "time_zone": "Europe/Amsterdam",
    }
    return staff.post(address, RECODES | chosen | given)


MINUS_IS_DOWN = {"recode-0-field": "value", "recode-0-old": "-1", "recode-0-new": "0"}


def test_columns_are_guessed_and_the_first_rows_shown(staff):
    page = staff.get(make_votes(staff)).content.decode()
    assert '<option value="1" selected>score</option>' in page
    assert '<option value="0" selected>created_at</option>' in page
    assert '<option value="" selected>Differs per row</option>' in page
    assert "2026-05-02T10:00:00Z" in page
    assert "Scale (required)" in page


def test_what_was_chosen_is_there_when_somebody_comes_back(staff):
    make_touchpoint(name="Chat", scale="thumb")
    address = make_votes(staff)
    chosen = {"constant_touchpoint": "Chat", "create_missing": "on", "time_zone": "Asia/Taipei"}
    assert map_votes(staff, address, **chosen, **MINUS_IS_DOWN).url == address + "preview/"
    page = staff.get(address).content.decode()
    assert '<option value="thumb" selected>Thumb</option>' in page
    assert re.search(r'name="constant_touchpoint" value="Chat"', page)
    assert '<option value="Chat"></option>' in page
    assert '<option value="Asia/Taipei" selected>' in page
    assert re.search(r'name="create_missing"[^>]* checked', page)
    assert re.search(r'name="recode-0-old" value="-1"', page)
    assert 'name="recode-3-old"' in page, "three empty rows after those that are filled in"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param(
            {"column_value": ""},
            "Answer: Choose the column that holds this; no row can do without.",
            id="a required field without a column",
        ),
        pytest.param(
            {"constant_scale": ""},
            "Scale: Choose its column, or one value for every row.",
            id="a required field that may be the same for all",
        ),
        pytest.param(
            {"column_scale": "2"},
            "Choose a column or one value for every row, not both.",
            id="both",
        ),
        pytest.param({"column_value": "3"}, "3 is not one of the available", id="no such column"),
        pytest.param({"column_value": "score"}, "is not one of the available", id="a name"),
        pytest.param({"constant_scale": "stars"}, "is not one of the available", id="no scale"),
        pytest.param({"time_zone": "../../etc"}, "is not one of the available", id="no zone"),
        pytest.param(
            {"recode-0-field": "reason", "recode-0-old": "a"},
            "Field: No column fills this field. Choose its column above.",
            id="a recode of nothing",
        ),
        pytest.param(
            MINUS_IS_DOWN | {"recode-1-field": "value", "recode-1-old": "-1"},
            "In the file: This value is there twice. Leave one of them out.",
            id="a recode twice",
        ),
        pytest.param(
            {"recode-0-old": "-1"},
            "Field: Choose the field that this is about.",
            id="half a recode",
        ),
        pytest.param({"recode-TOTAL_FORMS": "x"}, "ManagementForm data is missing", id="tampered"),
        pytest.param({"recode-TOTAL_FORMS": 51}, "Please submit at most 50", id="too many recodes"),
    ],
)
def test_columns_that_do_not_fit_are_refused_in_words(staff, given, words):
    address = make_votes(staff)
    response = map_votes(staff, address, **given)
    assert response.status_code == 200
    assert words in text(response)
    assert ImportJob.objects.get().options == {}


def test_the_summary_of_errors_leads_to_the_controls(staff):
    page = map_votes(staff, make_votes(staff), column_value="", constant_scale="").content.decode()
    assert "2 things to change" in page
    for control in re.findall(r'<a href="#(id_[^"]+)"', page):
        assert f'id="{control}"' in page


def test_names_of_columns_and_files_are_text(staff):
    response = upload(staff, b"<script>x</script>,b\n<b>,c\n", name="<img>.csv")
    page = staff.get(response.url).content.decode()
    assert "<script>x" not in page
    assert "<b>,c" not in page
    assert "<img>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page


def test_a_name_of_a_column_may_be_a_page_long(staff):
    response = upload(staff, b"reference," + b"n" * 500_000 + b"\nK1,Ada\n")
    page = staff.get(response.url)
    assert len(page.content) < 100_000
    answer = RECODES | {"column_reference": "0", "column_name": "1", "time_zone": "UTC"}
    assert "2 of the 2 rows" not in text(staff.post(response.url, answer, follow=True))
    assert importing.Plan.of(ImportJob.objects.get()).mapping.fields["name"] == "n" * 500_000


# -- The preview --------------------------------------------------------------------------------


def preview(content: str, kind: str = "customers", **given) -> tuple[Client, str]:
    job = make_draft(content, kind)
    importing.save_plan(job.pk, plan_of(job, **given))
    staff = signed_in(Role.MARKETER)
    return staff, text(staff.get(reverse("import_preview", args=[job.pk])))


def test_a_preview_shows_rows_as_they_would_be_read(staff):
    address = make_votes(staff)
    map_votes(staff, address, **MINUS_IS_DOWN)
    page = text(staff.get(address + "preview/"))
    assert "2 of the 2 rows would go in" in page
    assert "2 Yes 1 2 May 2026 12:00 thumb" in page
    assert "3 Yes 0 3 May 2026 12:00 thumb" in page
    assert "Times are shown in the time zone Europe/Amsterdam." in page
    assert "No row would be rejected Of the whole file. Nothing is stored yet." in page


def test_a_preview_stores_nothing(staff):
    address = make_votes(staff)
    map_votes(staff, address, constant_touchpoint="Chat", create_missing="on", **MINUS_IS_DOWN)
    assert "2 of the 2 rows would go in" in text(staff.get(address + "preview/"))
    assert (Response.objects.count(), Touchpoint.objects.count()) == (0, 0)


def test_a_preview_says_what_will_be_rejected_and_why():
    rows = "".join(f"K{n},2026-01-0{n},9\n" for n in range(1, 8))
    _, page = preview(
        f"customer,answered_at,value\n{rows},2026-01-01,11\n",
        "responses",
        constants={"scale": "nps"},
    )
    assert "0 of the 8 rows would go in" in page
    assert "8 rows would be rejected" in page
    reason = "&#x27;K1&#x27; is not a known customer; correct it, or import with --create-missing"
    assert f"{reason} customer 7 2, 3, 4, 5, 6 …" in page
    assert "11 is not an answer on the scale nps: it takes whole numbers from 0 to 10" in page
    assert "Yes" not in page.split("Goes in")[1].split("rows would be rejected")[0]


def test_a_preview_of_a_large_file_says_that_it_saw_the_first_thousand_rows():
    rows = "".join(f"K{n}\n" for n in range(998))
    _, page = preview(f"reference,email\n{rows.replace(chr(10), ',' + chr(10))}A,b\nB,\nC,bad\n")
    assert "999 of the first 1 000 rows would go in" in page
    assert "1 row would be rejected Of the first 1 000 rows; later ones were not looked at" in page
    assert Customer.objects.count() == 0


def test_a_preview_knows_what_is_there_already():
    run("reference,name\nK1,Ada\nK2,Bob\n")
    _, page = preview("reference,name\nK1,Ada\nK2,Bo\nK3,Cy\n")
    assert "Read 3 rows, without the line of names New 1 not there before Changed 1" in page
    assert "There already 1" in page


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        pytest.param(b"K2,\0\n", "holds a NUL byte", id="NUL"),
        pytest.param(b"K2,caf\xe9\n", "not UTF-8", id="wrong encoding"),
        pytest.param(b"K2," + b"x" * 100_000 + b"\n", "at most 65,536 are read", id="long cell"),
        pytest.param(b"K2,a,b\n", "3 cells and the header has 2", id="a cell too many"),
        pytest.param(b'K2,"a"b\n', "text follows a closing quote", id="stray quote"),
    ],
)
def test_a_bad_row_is_rejected_and_the_others_go_in(staff, rows, reason):
    job = make_draft(b"reference,name\nK1,Ada\n" + rows + b"K3,Cy\n")
    importing.save_plan(job.pk, plan_of(job))
    page = text(staff.get(reverse("import_preview", args=[job.pk])))
    assert "2 of the 3 rows would go in" in page
    assert reason in page
    importing.queue_import(job.pk)
    importing.run_import_job(importing.claim_import(NOW), lambda: NOW)
    assert list(Customer.objects.order_by("pk").values_list("reference", flat=True)) == ["K1", "K3"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"K2," + b"x" * 10_000_000, "longer than 1,048,576 characters", id="10 MB"),
        pytest.param(b'K2,"x\nK3,y\n', "a quote opens a cell in this row", id="open quote"),
        pytest.param(b"K2," + b"," * 2_000_000, "longer than 1,048,576", id="2 million cells"),
    ],
)
def test_a_file_that_breaks_later_says_where_and_keeps_what_came_before(staff, content, reason):
    job = make_draft(b"reference,name\nK1,Ada\n" + content)
    importing.save_plan(job.pk, plan_of(job))
    page = text(staff.get(reverse("import_preview", args=[job.pk])))
    assert "The file cannot be read from line 3 on:" in page
    assert reason in page
    staff.post(reverse("import_preview", args=[job.pk]))
    importing.run_import_job(importing.claim_import(NOW), lambda: NOW)
    page = text(staff.get(reverse("import", args=[job.pk])))
    assert "The import stopped; 1 row is in" in page
    assert reason in page
    assert "What was stored stays." in page


def test_a_gz_that_unpacks_without_end_is_stopped_at_a_limit(staff):
    row = b"," + b"x" * 60_000 + b"\n"
    job = make_draft(gzip.compress(b"reference,name\nK1,Ada\n" + row * 400))
    importing.save_plan(job.pk, plan_of(make_draft(CUSTOMERS)))
    page = text(staff.get(reverse("import_preview", args=[job.pk])))
    assert "unpacks to more than 200 times its size" in page
    assert re.search("The file cannot be read from line [23]\\d\\d on:", page)


def test_a_gz_that_is_cut_off_keeps_the_rows_before_it(staff):
    rows = "".join(f"K{n},{random.Random(n).random()}\n" for n in range(3_000))
    packed = gzip.compress(f"reference,name\n{rows}".encode())
    job = make_draft(packed[:-20])
    importing.save_plan(job.pk, plan_of(make_draft(CUSTOMERS)))
    importing.queue_import(job.pk)
    importing.run_import_job(importing.claim_import(NOW), lambda: NOW)
    assert Customer.objects.count() > 2_000
    assert "damaged or cut off here" in text(staff.get(reverse("import", args=[job.pk])))


def test_a_preview_without_columns_leads_to_them(staff):
    job = make_draft(CUSTOMERS)
    columns = reverse("import", args=[job.pk])
    address = reverse("import_preview", args=[job.pk])
    assert (staff.get(address).url, staff.post(address).url) == (columns, columns)
    assert ImportJob.objects.get().status == "draft"


def test_a_file_without_rows_cannot_be_started():
    _, page = preview("reference,name\n")
    assert "There are no rows to import" in page
    assert "Start the import" not in page


def test_a_file_that_is_gone_is_asked_for_again(staff, media):
    job = make_draft(CUSTOMERS)
    importing.save_plan(job.pk, plan_of(job))
    (media / job.file.name).unlink()
    for name in ("import", "import_preview"):
        page = text(staff.get(reverse(name, args=[job.pk]), follow=True))
        assert "The uploaded file is not there any more. Upload it again." in page


# -- Running and what came of it ------------------------------------------------------------------


def test_starting_leads_to_the_progress(staff):
    job = make_draft(CUSTOMERS)
    importing.save_plan(job.pk, plan_of(job))
    response = staff.post(reverse("import_preview", args=[job.pk]), follow=True)
    assert "The import waits for its turn" in text(response)
    assert ImportJob.objects.get().status == "queued"
    assert staff.get(reverse("import_preview", args=[job.pk])).url == reverse(
        "import", args=[job.pk]
    )


def test_a_running_import_shows_a_native_bar_and_a_way_to_load_again(staff):
    job = make_queued(CUSTOMERS)
    ImportJob.objects.update(
        status="running", percent=42, result={"read": 12_430, "rejected": 1, "created": 12_429}
    )
    response = staff.get(reverse("import", args=[job.pk]))
    page = response.content.decode()
    assert re.search(r'<progress class="ci-bar" max="100" value="42"', page)
    assert "12 430 rows read, 1 rejected" in text(response)
    assert f'<a href="{reverse("import", args=[job.pk])}">Load again' in page
    assert "http-equiv" not in page


def test_the_progress_is_there_for_scripts(staff):
    job = make_queued(CUSTOMERS)
    address = reverse("import_progress", args=[job.pk])
    assert staff.get(address).json() == {
        "status": "queued",
        "percent": 0,
        "percent_text": "0\xa0%",
        "text": "No rows read yet",
    }
    ImportJob.objects.update(status="running", percent=7, result={"read": 1, "rejected": 0})
    assert staff.get(address).json()["text"] == "1 row read, 0 rejected"


def test_somebody_stops_an_import(staff):
    job = make_queued(CUSTOMERS)
    response = staff.post(reverse("import_stop", args=[job.pk]), follow=True)
    assert "The import stopped before its first row" in text(response)
    assert "Somebody stopped it." in text(response)


def test_somebody_throws_a_draft_away(staff, media):
    job = make_draft(CUSTOMERS)
    response = staff.post(reverse("import_discard", args=[job.pk]), follow=True)
    assert "“f.csv” was thrown away." in text(response)
    assert files(media) == []


def test_what_was_imported_is_not_thrown_away(staff):
    job = run(CUSTOMERS)
    assert staff.post(reverse("import_discard", args=[job.pk])).url == reverse(
        "import", args=[job.pk]
    )
    assert ImportJob.objects.exists()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"error": importing.SILENT}, "The worker that read it disappeared 3 times."),
        ({"error": "FileNotFoundError"}, "Web server and workers need the same VAR_DIR."),
        ({"error": "ValueError"}, "It failed 3 times with ValueError; the log of the worker"),
    ],
)
def test_why_an_import_stopped_is_said_in_words(staff, facts, words):
    job = make_queued(CUSTOMERS)
    ImportJob.objects.update(status="stopped", **facts)
    assert words in text(staff.get(reverse("import", args=[job.pk])))


def test_the_result_counts_and_offers_the_rejected_rows(staff):
    job = run("reference,name\nK1,Ada\n,=1+1\n")
    page = text(staff.get(reverse("import", args=[job.pk])))
    assert "1 row is in, 1 rejected" in page
    assert "Read 2 rows" in page
    assert "The uploaded file has been deleted." in page
    response = staff.get(reverse("import_rejects", args=[job.pk]))
    assert response["Content-Disposition"] == 'attachment; filename="f-rejects.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    line, field, *_ = b"".join(response).decode().splitlines()[1].split(",")
    assert (line, field) == ("3", "reference")


def test_the_rejected_rows_run_nothing_in_a_spreadsheet(staff):
    job = run('reference,name\n,=1+1\n,+1\n,"@SUM(1)"\n,-2\n')
    response = staff.get(reverse("import_rejects", args=[job.pk]))
    names = [line.rpartition(",")[2] for line in b"".join(response).decode().splitlines()[1:]]
    assert names == ["'=1+1", "+1", "'@SUM(1)", "-2"]


def test_rejected_rows_go_in_once_they_are_corrected(staff):
    job = run("reference,name\n,=1+1\n")
    rejects = b"".join(staff.get(reverse("import_rejects", args=[job.pk])))
    address = upload(staff, rejects.replace(b",,'=", b",K9,'=")).url
    answer = RECODES | {"column_reference": "0", "column_name": "1", "time_zone": "UTC"}
    staff.post(address, answer)
    assert "1 of the 1 rows would go in" in text(staff.get(address + "preview/"))
    staff.post(address + "preview/")
    importing.run_import_job(importing.claim_import(NOW), lambda: NOW)
    assert Customer.objects.get().name == "=1+1"


def test_an_import_without_rejects_offers_none(staff):
    job = run(CUSTOMERS)
    assert "All 2 rows are in" in text(staff.get(reverse("import", args=[job.pk])))
    assert staff.get(reverse("import_rejects", args=[job.pk])).status_code == 404


def test_an_import_that_was_begun_again_says_so(staff):
    job = run(CUSTOMERS)
    ImportJob.objects.update(attempts=2)
    page = text(staff.get(reverse("import", args=[job.pk])))
    assert "The work was interrupted and begun again" in page
