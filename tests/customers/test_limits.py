"""How many answers come through from one place, and where a request comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers import limits
from customers.limits import WINDOW, Limiter, client_place

# A machine that has run for a second, for a month, and for three years.
UPTIMES = [1.0, 2_592_000.5, 1e8 + 1 / 3]


def through(limiter: Limiter, times: list[float], place: str = "here") -> list[bool]:
    return [limiter.wait(place, at) == 0 for at in times]


@pytest.mark.parametrize("now", UPTIMES)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 60, 300, 1_000, 6_000, 7_777])
def test_so_many_come_through_at_once_and_not_one_more(limit, now):
    limiter = Limiter(limit)
    assert through(limiter, [now] * (limit + 3)) == [True] * limit + [False] * 3


@pytest.mark.parametrize("now", UPTIMES)
@pytest.mark.parametrize("limit", [1, 7, 300])
def test_then_one_for_each_step_that_passes(limit, now):
    limiter = Limiter(limit)
    through(limiter, [now] * limit)
    step = WINDOW / limit
    for number in range(1, 20):
        at = now + number * step
        assert through(limiter, [at - step / 2, at, at]) == [False, True, False]


def test_the_wait_is_told_and_is_enough():
    limiter = Limiter(2)
    assert [limiter.wait("here", 0) for _ in range(3)] == [0, 0, 30]
    assert limiter.wait("here", 10) == 20
    assert limiter.wait("here", 30) == 0
    assert limiter.wait("here", 30) == 30


def test_who_asks_too_early_loses_nothing_by_it():
    limiter = Limiter(1)
    limiter.wait("here", 0)
    assert through(limiter, [1, 2, 3, 59.9, 60]) == [False] * 4 + [True]


def test_after_a_minute_of_silence_all_is_as_in_the_beginning():
    limiter = Limiter(5)
    through(limiter, [0] * 5)
    assert through(limiter, [60] * 6) == [True] * 5 + [False]


def test_places_do_not_share():
    limiter = Limiter(1)
    assert [limiter.wait(place, 0) == 0 for place in ("a", "b", "a", 1, (1,))] == [
        True,
        True,
        False,
        True,
        True,
    ]


@given(st.integers(1, 30), st.lists(st.floats(0, 300), min_size=1, max_size=300).map(sorted))
def test_never_more_than_twice_the_limit_in_any_window(limit, times):
    """The burst, and what grows back meanwhile; over two windows three times as many."""
    limiter = Limiter(limit)
    taken = [at for at in times if limiter.wait("here", at) == 0]
    for start in taken:
        assert sum(start <= at < start + WINDOW for at in taken) <= 2 * limit
        assert sum(start <= at < start + 2 * WINDOW for at in taken) <= 3 * limit


@given(st.integers(1, 30), st.lists(st.floats(0.01, 100), max_size=50))
def test_who_waits_as_long_as_told_comes_through(limit, pauses):
    limiter, now = Limiter(limit), 0.0
    for pause in pauses:
        now += pause if pause > 50 else 0
        wait = limiter.wait("here", now)
        if wait:
            assert 0 < wait <= WINDOW / limit + 1e-6
            now += wait
            assert limiter.wait("here", now) == 0


def test_the_memory_has_an_end_and_nobody_is_kept_out_by_it(monkeypatch):
    monkeypatch.setattr(limits, "MAX_PLACES", 3)
    limiter = Limiter(1)
    for place in "abcd":
        assert limiter.wait(place, 0) == 0
    # The one that was forgotten may again; the others may not yet.
    assert [limiter.wait(place, 1) == 0 for place in "dcba"] == [False, False, False, True]
    assert len(limiter._used_until) == 3


# -- Where a request comes from -------------------------------------------------------------------

PLACES = {
    "no proxy": ("203.0.113.7", "", 0, "203.0.113.7"),
    "no proxy, and a header anybody can write": ("203.0.113.7", "10.0.0.1", 0, "203.0.113.7"),
    "one proxy": ("10.0.0.1", "203.0.113.7", 1, "203.0.113.7"),
    "one proxy, spoofed at the left": ("10.0.0.1", "1.1.1.1, 203.0.113.7", 1, "203.0.113.7"),
    "one proxy, spoofed many times": ("10.0.0.1", "a,,b, c ,203.0.113.7", 1, "203.0.113.7"),
    "two proxies": ("10.0.0.1", "203.0.113.7, 10.0.0.2", 2, "203.0.113.7"),
    "two proxies, spoofed": ("10.0.0.1", "6.6.6.6,203.0.113.7,10.0.0.2", 2, "203.0.113.7"),
    "two proxies, one passed by": ("203.0.113.7", "10.0.0.2", 2, "203.0.113.7"),
    "a proxy that says nothing": ("10.0.0.1", "", 1, "10.0.0.1"),
    "a proxy that says commas": ("10.0.0.1", " , ,", 1, "10.0.0.1"),
    "a proxy that says nonsense": ("10.0.0.1", "unknown", 1, "unknown"),
    "no address at all": ("", "", 0, "unknown"),
    "a socket of the machine": ("unix:", "", 0, "unknown"),
    "IPv6 by its first half": ("2001:db8:1:2:3:4:5:6", "", 0, "20010db800010002"),
    "its neighbour": ("2001:db8:1:2:ffff::1", "", 0, "20010db800010002"),
    "another network": ("2001:db8:1:3::1", "", 0, "20010db800010003"),
    "IPv6 behind a proxy": ("10.0.0.1", "2001:db8:1:2::9", 1, "20010db800010002"),
    "IPv4 in the clothes of IPv6": ("::ffff:203.0.113.7", "", 0, "203.0.113.7"),
    "the same in hexadecimal": ("::ffff:cb00:7107", "", 0, "203.0.113.7"),
    "an address with its zone": ("fe80::1%eth0", "", 0, "fe80000000000000"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_request_comes_from(name):
    remote, forwarded, hops, place = PLACES[name]
    assert client_place(remote, forwarded, hops) == place


@given(st.text(), st.text(), st.integers(0, 5))
def test_any_header_is_some_place(remote, forwarded, hops):
    place = client_place(remote, forwarded, hops)
    assert place
    assert len(place) <= 16


@given(st.lists(st.text("0123456789abcdef.:, x"), max_size=5), st.integers(1, 3))
def test_what_stands_left_of_our_proxies_changes_nothing(spoofed, hops):
    ours = ["203.0.113.7", *("10.0.0.2" for _ in range(hops - 1))]
    assert client_place("10.0.0.1", ", ".join([*spoofed, *ours]), hops) == "203.0.113.7"
