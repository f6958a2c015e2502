"""Addresses of sites, as people paste them and as browsers send them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.origins import OriginError, origin_of

# What somebody types, and what a browser on that site sends.
TAKEN = [
    ("https://www.shop.example", "https://www.shop.example"),
    ("https://www.shop.example/", "https://www.shop.example"),
    ("https://www.shop.example/nl/page?x=1#top", "https://www.shop.example"),
    ("  https://www.shop.example \n", "https://www.shop.example"),
    ("HTTPS://WWW.Shop.Example", "https://www.shop.example"),
    ("https://shop.example:443", "https://shop.example"),
    ("https://shop.example:8443/x", "https://shop.example:8443"),
    ("https://shop.example:", "https://shop.example"),
    ("https://shop.example:80", "https://shop.example:80"),
    ("http://shop.example:80", "http://shop.example"),
    ("http://shop.example:443", "http://shop.example:443"),
    ("http://localhost:8080", "http://localhost:8080"),
    ("http://127.0.0.1:5500/index.html", "http://127.0.0.1:5500"),
    ("http://[::1]:3000/", "http://[::1]:3000"),
    ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://BÜCHER.example/los", "https://xn--bcher-kva.example"),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ("https://shop。example", "https://shop.example"),
    ("https://shop.example.", "https://shop.example."),
    ("https://a-b.c--d.example", "https://a-b.c--d.example"),
    ("https://" + "a" * 63 + ".example", "https://" + "a" * 63 + ".example"),
]
REFUSED = [
    ("", "does not begin with https:// or http://"),
    ("www.shop.example", "does not begin with https:// or http://"),
    ("shop.example:8080", "does not begin with https:// or http://"),
    ("//www.shop.example", "does not begin with https:// or http://"),
    ("*", "holds a character"),
    ("https://*.shop.example", "holds a character"),
    ("null", "does not begin with https:// or http://"),
    ("file:///home/kim/page.html", "does not begin with https:// or http://"),
    ("ftp://shop.example", "does not begin with https:// or http://"),
    ("javascript:alert(1)", "does not begin with https:// or http://"),
    ("chrome-extension://abcdef", "does not begin with https:// or http://"),
    ("https://", "has no host name"),
    ("https:///page", "has no host name"),
    ("https://.", "has no host name"),
    ("https://.example", "has no host name"),
    ("https://shop..example", "has no host name"),
    ("https://-shop.example", "has no host name"),
    ("https://shop-.example", "has no host name"),
    ("https://shop_.example", "has no host name"),
    ("https://shop%2eexample", "has no host name"),
    ("https://" + "a" * 64 + ".example", "has no host name"),
    ("https://kim@shop.example", "holds a name or password"),
    ("https://kim:secret@shop.example", "holds a name or password"),
    ("https://www.shop.example@evil.example", "holds a name or password"),
    ("https://@shop.example", "holds a name or password"),
    ("https://shop.example:port", "is not a web address"),
    ("https://shop.example:70000", "is not a web address"),
    ("https://shop.example:-1", "is not a web address"),
    ("https://[::1", "is not a web address"),
    ("https://[not-ipv6]", "is not a web address"),
    ("https://shop℀.example", "is not a web address"),
    ("https://shop.example https://other.example", "holds a character"),
    ("https://shop.example,https://other.example", "has no host name"),
    ("https://shop.example\nhttps://other.example", "holds a character"),
    ("https://shop.example\\@evil.example", "holds a character"),
    ("https://shop\0.example", "holds a character"),
    ("<https://shop.example>", "holds a character"),
    ("'https://shop.example'", "does not begin with https:// or http://"),
]


@pytest.mark.parametrize(("address", "origin"), TAKEN)
def test_an_address_becomes_what_a_browser_sends(address, origin):
    assert origin_of(address) == origin


@pytest.mark.parametrize(("address", "rule"), REFUSED)
def test_what_no_browser_sends_is_refused_with_the_way_out(address, rule):
    with pytest.raises(OriginError) as refused:
        origin_of(address)
    assert rule in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_long_address_is_quoted_short():
    with pytest.raises(OriginError) as refused:
        origin_of("x" * 10_000)
    assert len(str(refused.value)) < 200


labels = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
sites = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "https"]),
    st.lists(labels, min_size=1, max_size=4).map(".".join),
    st.just("") | st.integers(1, 65_535).map(":{}".format),
)


@given(st.text() | sites | sites.flatmap(lambda site: st.text().map(lambda tail: site + tail)))
def test_an_origin_is_its_own_origin(address):
    try:
        origin = origin_of(address)
    except OriginError:
        return
    assert origin_of(origin) == origin
    assert origin.isascii()
    assert origin == origin.lower()


@given(sites, st.text(string.ascii_letters + "/?#=&-", max_size=20))
def test_the_page_does_not_matter(site, page):
    assert origin_of(f"{site}/{page}") == origin_of(site)
