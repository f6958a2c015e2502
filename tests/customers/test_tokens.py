"""Tokens of links: what we signed for one thing is worth nothing for another."""

from string import ascii_letters, digits

import pytest
from django.core.signing import Signer
from hypothesis import given
from hypothesis import strategies as st

from customers.tokens import (
    Unsubscribe,
    new_secret,
    preferences_token,
    read_preferences,
    read_unsubscribe,
    secret_digest,
    unsubscribe_token,
)


def test_what_was_signed_is_read():
    assert read_unsubscribe(unsubscribe_token(7, 2, "email")) == Unsubscribe(7, 2, "email")
    assert read_preferences(preferences_token(7)) == 7


def test_a_token_for_one_thing_is_worth_nothing_for_another():
    assert read_preferences(unsubscribe_token(7, 2, "email")) is None
    assert read_unsubscribe(preferences_token(7)) is None


def test_older_keys_still_verify_and_dropped_ones_do_not(settings):
    token = preferences_token(7)
    settings.LINK_KEYS = ["a newer key", *settings.LINK_KEYS]
    assert read_preferences(token) == 7
    assert read_preferences(preferences_token(7)) == 7
    settings.LINK_KEYS = ["a newer key"]
    assert read_preferences(token) is None


@pytest.mark.parametrize(
    "payload", ["", "7-2", "7-2-email-x", "-1-2-email", "x", "7 -2-email", "٧"]
)
def test_a_payload_of_another_shape_is_not_read_though_we_signed_it(settings, payload):
    key = settings.LINK_KEYS[0]
    assert read_unsubscribe(Signer(key=key, salt="unsubscribe.v1").sign(payload)) is None
    assert read_preferences(Signer(key=key, salt="preferences.v1").sign(payload)) is None


@given(
    at=st.integers(0, 200),
    put=st.text(ascii_letters + digits + "-_:", min_size=1, max_size=3),
    cut=st.integers(0, 3),
)
def test_no_change_of_a_token_is_accepted(at, put, cut):
    token = unsubscribe_token(7, 2, "email")
    place = at % (len(token) + 1)
    forged = token[:place] + put + token[place + cut :]
    assert forged == token or read_unsubscribe(forged) is None


def test_a_secret_is_long_new_and_stored_as_its_hash():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 43 and ":" not in secret for secret in secrets)
    secret = secrets.pop()
    assert secret_digest(secret) == secret_digest(secret) != secret
    assert len(secret_digest(secret)) == 64
