"""Shares about permission: documented as they are calculated, and judged the right way round."""

from pathlib import Path

import pytest

from insights import kpis
from insights.permission import rates
from insights.permission.rates import OPT_IN, REGRET, rate, share

ROOT = Path(kpis.__file__).parents[1]
DOCS = (ROOT / "docs" / "kpis.md").read_text("utf-8")
TEMPLATE = (ROOT / "templates/insights/_permission_definition.html").read_text("utf-8")
TEXTS = [OPT_IN.definition, REGRET.definition, rates.PROOF, rates.TIME_TO_REGRET]


@pytest.mark.parametrize("text", TEXTS)
def test_the_definition_is_word_for_word_in_the_documentation_and_on_the_page(text):
    assert text in DOCS
    assert text in " ".join(TEMPLATE.split())


@pytest.mark.parametrize("kpi", [OPT_IN, REGRET], ids=lambda kpi: kpi.key)
def test_the_documentation_names_each_by_its_key_and_outcomes(kpi):
    assert f"| `{kpi.key}` | `{', '.join(kpi.outcomes)}` |" in DOCS


def test_they_are_shares_with_the_interval_of_the_others():
    figure = share(OPT_IN, 45, 50)
    assert (figure.value, round(figure.low, 1), round(figure.high, 1)) == (90, 78.6, 95.7)


@pytest.mark.parametrize(
    ("kpi", "before", "now", "mood", "tone"),
    [
        pytest.param(OPT_IN, 100, 140, "good", "-up", id="more say yes"),
        pytest.param(OPT_IN, 140, 100, "bad", "-down", id="fewer say yes"),
        pytest.param(REGRET, 20, 60, "bad", "-down", id="more take it back"),
        pytest.param(REGRET, 60, 20, "good", "-up", id="fewer take it back"),
        pytest.param(REGRET, 20, 21, "flat", "", id="chance"),
    ],
)
def test_less_is_better_where_it_is(kpi, before, now, mood, tone):
    row = rate(kpi, share(kpi, before, 200), share(kpi, now, 200))
    assert (row.mood, row.tone) == (mood, tone)


@pytest.mark.parametrize(
    ("n", "hidden", "few", "shown"),
    [(0, False, False, False), (4, True, False, False), (29, False, True, False),
     (30, False, False, True)],
)  # fmt: skip
def test_under_5_nothing_under_30_no_verdict(n, hidden, few, shown):
    row = rate(OPT_IN, share(OPT_IN, 50, 100), share(OPT_IN, n // 2, n))
    assert (row.hidden, row.few, row.shown) == (hidden, few, shown)
    assert row.comparable is shown


def test_a_tick_that_came_before_its_showing_is_no_negative_count():
    assert share(OPT_IN, 3, 2).counts == {"ticked": 3, "left": 0}
