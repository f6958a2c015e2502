"""What docs/kpis.md tells people is what the code calculates."""

from pathlib import Path

import pytest

from insights import kpis

PAGE = (Path(kpis.__file__).parents[1] / "docs" / "kpis.md").read_text("utf-8")


@pytest.mark.parametrize("kpi", kpis.KPIS.values(), ids=kpis.KPIS)
def test_the_page_carries_each_definition_word_for_word(kpi):
    assert kpi.definition in PAGE


@pytest.mark.parametrize("kpi", kpis.KPIS.values(), ids=kpis.KPIS)
def test_the_page_names_each_kpi_by_its_key_and_outcomes(kpi):
    assert f"| `{kpi.key}` | `{', '.join(kpi.outcomes)}` |" in PAGE


def test_the_page_gives_the_thresholds_and_z_of_the_code():
    assert f"Under {kpis.MIN_SHOWN} answers" in PAGE
    assert f"at least {kpis.MIN_VERDICT} answers" in PAGE
    assert f"z = {kpis.Z}" in PAGE
