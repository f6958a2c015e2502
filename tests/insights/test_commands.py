"""The commands kpi, sweep and setup_link, as a person or a script calls them."""

import json
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from feedback import tallies
from feedback.models import ResponseChange, TouchedSlice
from insights.kpis import KPIS
from insights.models import JobRun, KpiSnapshot
from insights.queries import kpi_document
from tests.insights.makers import answer, ask, give, make_category
from tests.installations import install, manage, run

JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")


@pytest.fixture
def kpi(capsys):
    """Return a function that calls the command and reads its one document."""

    def call(*arguments: str) -> dict:
        capsys.readouterr()
        call_command("kpi", *arguments, "--json")
        said = capsys.readouterr()
        assert said.err == ""
        return json.loads(said.out)

    return call


# -- kpi ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("key", KPIS)
def test_the_command_prints_the_document_of_the_one_query(kpi, key):
    give("nps", [9, 3], on=date(2026, 1, 5), channel="web")
    give("thumb", [1, 0], on=date(2026, 1, 6), channel="web")
    answer(ask(3, on=date(2026, 1, 7), channel="web")[:1], on=date(2026, 1, 9))
    choices = ("--by", "week", "--slice", "channel", "--compare", "previous")
    assert kpi(key, *JANUARY, *choices) == kpi_document(
        key,
        start=date(2026, 1, 1),
        end=date(2026, 2, 1),
        today=timezone.localdate(),
        by="week",
        dimension="channel",
        compare="previous",
    )


@pytest.mark.django_db
def test_without_dates_the_range_runs_from_the_first_answer_to_tomorrow(kpi):
    give("nps", [9], on=date(2020, 2, 29))
    [row] = kpi("nps")["rows"]
    tomorrow = date.fromordinal(timezone.localdate().toordinal() + 1)
    assert (row["start"], row["end"], row["n"]) == ("2020-02-29", tomorrow.isoformat(), 1)


@pytest.mark.django_db
def test_the_command_does_not_suppress_small_counts(kpi):
    give("nps", [9], on=date(2026, 1, 5))
    [row] = kpi("nps", *JANUARY)["rows"]
    assert (row["n"], row["value"], row["counts"]["promoters"]) == (1, 100, 1)


FILTERS = [
    pytest.param([], 4, id="none"),
    pytest.param(["--where", "category=A"], 3, id="one"),
    pytest.param(["--where", "category=A", "channel=web"], 2, id="two in one option"),
    pytest.param(["--where", "category=A", "--where", "channel=web"], 2, id="two options"),
    pytest.param(["--where", "category=a"], 3, id="in another case"),
    pytest.param(["--where", "category="], 1, id="answers without one"),
    pytest.param(["--where", "category=A", "channel=", "customer_type="], 1, id="three"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("options", "n"), FILTERS)
def test_filters_are_combined(kpi, options, n):
    category = make_category("A")
    on = date(2026, 1, 5)
    give("nps", [9, 9], on=on, category=category, channel="web")
    give("nps", [9], on=on, category=category)
    give("nps", [9], on=on, channel="web")
    for fold in (False, True):
        if fold:
            tallies.fold_all()
        [row] = kpi("nps", *JANUARY, *options)["rows"]
        assert row["n"] == n


@pytest.mark.django_db
def test_names_keep_their_letters(kpi, capsys):
    give("nps", [9], on=date(2026, 1, 5), category=make_category("Crème brûlée"))
    [row] = kpi("nps", *JANUARY, "--slice", "category")["rows"]
    assert row["slice"] == "Crème brûlée"


@pytest.mark.django_db
def test_without_json_people_get_a_table(capsys):
    give("thumb", [1, 1, 0], on=date(2026, 1, 5), channel="web")
    give("thumb", [1], on=date(2026, 1, 5))
    call_command("kpi", "thumbs", *JANUARY, "--slice", "channel")
    call_command("kpi", "csat", *JANUARY)
    assert capsys.readouterr().out.splitlines() == [
        KPIS["thumbs"].definition,
        "2026-01-01  66.7 (20.8 to 93.9)  n=3  web",
        "2026-01-01  100.0 (20.7 to 100.0)  n=1  (none)",
        KPIS["csat"].definition,
        "2026-01-01  no answers  n=0",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nps", "--where", "category=nope"], "'nope' is not a known category. Use one of: A."),
        (
            ["nps", "--where", "channel=web", "--where", "channel=email"],
            "--where names channel twice",
        ),
        (
            ["nps", "--from", "2026-02-01", "--to", "2026-01-01"],
            "Choose an end later than the start",
        ),
        (["nps", "--from", "0001-01-01"], "Check the year"),
        (["nps", "--from", "1990-01-01", "--by", "day"], "has more than 10000 periods"),
        (["nps", "--from", "1 january"], "Write it as YYYY-MM-DD, for example 2026-11-24"),
        (["nps", "--where", "channel"], "Write KEY=VALUE with KEY one of product, category"),
        (["nps", "--where", "reason=fun"], "Write KEY=VALUE with KEY one of product, category"),
    ],
)
def test_a_refusal_names_the_value_and_the_way_out(arguments, words):
    make_category("A")
    with pytest.raises(CommandError) as refused:
        call_command("kpi", *arguments)
    assert words in str(refused.value)


# -- sweep -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_sweep_does_what_is_due():
    give("nps", [9])
    call_command("sweep")
    assert not ResponseChange.objects.exists()
    assert KpiSnapshot.objects.filter(dimension="").count() == 3
    assert {"fold", "compute_kpis"} <= set(JobRun.objects.values_list("name", flat=True))


@pytest.mark.django_db
def test_sweep_names_the_jobs_that_failed_and_does_the_others():
    give("nps", [9])
    TouchedSlice.objects.create(dimension="", key="", measure="mood", day=date(2026, 1, 1))
    with pytest.raises(CommandError, match="These jobs failed: compute_kpis"):
        call_command("sweep")
    assert not ResponseChange.objects.exists()


# -- setup_link --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_set_up_link_is_printed_and_opens_its_page(settings, capsys):
    call_command("setup_link")
    words, link = capsys.readouterr().out.splitlines()
    assert words == "Make the first administrator here (works once):"
    address = link.strip()
    assert address.startswith(f"{settings.BASE_URL}/setup/")
    assert Client().get(address.removeprefix(settings.BASE_URL)).status_code == 200


@pytest.mark.django_db
def test_where_somebody_can_sign_in_there_is_no_link(capsys):
    User.objects.create_user("noor")
    call_command("setup_link")
    assert capsys.readouterr().out == (
        "There is an administrator already: sign in, or ask a colleague.\n"
    )


# -- In a process of its own: streams and exit codes ----------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> dict[str, str]:
    environment = install(tmp_path_factory.mktemp("commands") / "var", "commands_test")
    run(
        environment,
        "from tests.insights.makers import *\n"
        "give('nps', [9, 9, 3], on=date(2026, 1, 5), channel='web', category=make_category('A'))",
    )
    return environment


def test_standard_output_holds_one_document_and_nothing_else(shop):
    done = manage(shop, "kpi", "nps", *JANUARY, "--where", "channel=web", "category=A", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["rows"][0]["n"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["nps", "--where", "category=nope"], 1, "not a known category", id="refused"),
        pytest.param(["happiness"], 2, "invalid choice: 'happiness'", id="no such kpi"),
        pytest.param(["nps", "--to", "31-01-2026"], 2, "Write it as YYYY-MM-DD", id="no day"),
        pytest.param(
            ["nps", "--from", "2026-02-01", "--to", "2026-01-01"],
            2,
            "Choose an end later than the start",
            id="backwards",
        ),
        pytest.param(
            ["nps", "--where", "channel=web", "channel=email"],
            2,
            "--where names channel twice",
            id="a filter twice",
        ),
    ],
)
def test_a_refusal_has_its_exit_code_and_leaves_standard_output_empty(shop, arguments, code, words):
    done = manage(shop, "kpi", *arguments, "--json")
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_prepared_is_said(shop, tmp_path):
    given = {name: value for name, value in shop.items() if name != "DATABASE_URL"}
    done = manage({**given, "VAR_DIR": str(tmp_path)}, "kpi", "nps", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "prepare it with: python3 start.py setup" in done.stderr
    assert "Traceback" not in done.stderr


def test_sweep_needs_no_broker_and_no_worker(shop):
    done = manage(shop, "sweep")
    # After three o'clock the ledger is verified too, and says so.
    told = [line for line in done.stderr.splitlines() if " ledger_checkpoint " not in line]
    assert (done.returncode, done.stdout, told) == (0, "", [])
    assert (
        run(
            shop,
            "from insights.queries import job_overview\n"
            "found = job_overview()\n"
            # Besides them, what is nightly: that depends on the hour.
            "names = {run.name for run in found.runs}\n"
            "print(found.waiting_changes, {'fold', 'compute_kpis'} <= names)",
        )
        == "0 True\n"
    )
