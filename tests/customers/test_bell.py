"""The doorbell: heard by a worker if there is one, and in nobody's way if there is not."""

import logging
import socket
import time
from contextlib import closing, suppress
from urllib.parse import quote

import pytest
from celery import current_app

from customers import bell


@pytest.fixture(autouse=True)
def _nothing_rang_yet(monkeypatch):
    monkeypatch.setattr(bell, "_silent_until", {})


@pytest.fixture
def queue():
    """The queue of the real broker, empty; call it for the kinds that were rung."""
    name = current_app.conf.task_default_queue
    with current_app.connection_for_write() as connection:
        connection.default_channel.queue_purge(name)
        with closing(connection.SimpleQueue(name)) as messages:

            def kinds() -> list[str]:
                found = []
                with suppress(messages.Empty):
                    while True:
                        message = messages.get(block=False)
                        message.ack()
                        assert message.headers["task"] == "sweep"
                        found.append(message.payload[0][0])
                return found

            yield kinds


class Mute:
    """A broker that takes connections and never answers, as a frozen one does."""

    def __init__(self, path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(8)
        self.listener.setblocking(False)

    def callers(self) -> int:
        """Return how many connected since the last time."""
        found = 0
        with suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
                found += 1
        return found


@pytest.fixture
def mute(tmp_path, monkeypatch):
    path = tmp_path / "mute.sock"
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis+socket://{quote(str(path))}")
    broker = Mute(path)
    yield broker
    broker.listener.close()


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """An address where nothing listens."""
    path = quote(str(tmp_path / "nobody.sock"))
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis+socket://{path}")


# -- Heard ----------------------------------------------------------------------------------------


@pytest.mark.broker
def test_a_ring_asks_for_a_sweep_of_that_kind(queue):
    assert bell.ring("answers") is True
    assert queue() == ["answers"]


@pytest.mark.broker
def test_a_burst_needs_one_bell_for_each_kind(queue):
    assert [bell.ring("answers") for _ in range(5)] == [True, False, False, False, False]
    assert bell.ring("imports") is True
    assert queue() == ["answers", "imports"]


@pytest.mark.broker
def test_after_a_second_it_rings_again(queue, monkeypatch):
    monkeypatch.setattr(bell, "QUIET_SECONDS", 0.02)
    assert bell.ring("answers") is True
    time.sleep(0.03)
    assert bell.ring("answers") is True
    assert queue() == ["answers", "answers"]


@pytest.mark.broker
def test_a_broker_that_is_back_is_rung_after_the_pause(queue, tmp_path, monkeypatch):
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.05)
    with monkeypatch.context() as away:
        away.setenv("CELERY_BROKER_WRITE_URL", f"redis+socket://{tmp_path}/nobody.sock")
        assert bell.ring("imports") is False
    assert bell.ring("answers") is False
    time.sleep(0.06)
    assert bell.ring("answers") is True
    assert queue() == ["answers"]


# -- Not heard ------------------------------------------------------------------------------------


def test_a_dead_broker_raises_nothing_and_is_logged_without_its_address(nobody, caplog, settings):
    settings.REDIS_URL = "redis://broker.example"
    with caplog.at_level(logging.WARNING, "customers.bell"):
        assert bell.ring("answers") is False
    (message,) = caplog.messages
    assert message.startswith("bell_not_rung kind=answers error=OperationalError")
    assert "nobody.sock" not in caplog.text


def test_where_the_product_does_not_run_nobody_has_to_hear(nobody, caplog, settings, tmp_path):
    settings.REDIS_URL, settings.EMBEDDED_BROKER_SOCKET = "", tmp_path / "valkey.sock"
    with caplog.at_level(logging.INFO, "customers.bell"):
        assert bell.ring("answers") is False
    assert caplog.messages == []


def test_a_spell_of_silence_is_logged_once(nobody, caplog, settings, monkeypatch):
    settings.REDIS_URL = "redis://broker.example"
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.0)
    with caplog.at_level(logging.WARNING, "customers.bell"):
        assert [bell.ring(kind) for kind in ("answers", "imports")] == [False, False]
    assert len(caplog.messages) == 1


def test_a_frozen_broker_holds_nobody_up(mute):
    began = time.monotonic()
    assert bell.ring("answers") is False
    # A third of a second by itself; ten times that on a machine that is very busy.
    assert time.monotonic() - began < 3
    assert mute.callers() == 1


def test_a_broker_that_did_not_answer_is_left_alone_by_every_kind(mute):
    assert bell.ring("answers") is False
    assert mute.callers() == 1
    began = time.monotonic()
    assert [bell.ring(kind) for kind in ("answers", "imports", "answers")] == [False] * 3
    assert time.monotonic() - began < 0.25
    assert mute.callers() == 0


def test_it_is_tried_again_after_the_pause(mute, monkeypatch):
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.01)
    assert bell.ring("answers") is False
    time.sleep(0.02)
    assert bell.ring("imports") is False
    assert mute.callers() == 2


def test_an_address_that_makes_no_sense_raises_nothing_either(monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", "nonsense://")
    assert bell.ring("answers") is False


def test_a_pause_is_longer_than_a_quiet_and_a_wait_shorter_than_a_second():
    assert bell.PAUSE_SECONDS > bell.QUIET_SECONDS
    assert bell.PATIENCE["socket_connect_timeout"] + bell.PATIENCE["socket_timeout"] < 1
    assert bell.PATIENCE["max_retries"] == 0
