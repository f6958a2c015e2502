"""The supervisor starts some of its programs again while the others go on."""

import signal
import sys
from collections.abc import Iterator

import pytest

from insights.supervisor import STOP_SIGNALS, Program, ProgramEnded, StopAsked, Supervisor


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said: list[str]) -> Iterator[Supervisor]:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    with Supervisor({}, said.append) as supervisor:
        yield supervisor
    for number, handler in before.items():
        signal.signal(number, handler)


def program(name: str) -> Program:
    """Says its name, and at the end that it was asked to stop."""
    code = (
        "import os, signal, sys, time\n"
        f"def stop(*_): os.write(1, b'{name} stops\\n'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        f"os.write(1, b'{name} runs\\n')\n"
        "time.sleep(60)\n"
    )
    return Program(name=name, command=[sys.executable, "-c", code], grace=10)


def start(supervisor: Supervisor, said: list[str], *names: str) -> None:
    for name in names:
        line = f"{name} | {name} runs"
        times = said.count(line)
        supervisor.start(program(name))
        assert supervisor.wait_until(lambda line=line, n=times: said.count(line) > n, 10)


def test_the_first_programs_can_be_kept_and_the_rest_started_again(supervisor, said):
    start(supervisor, said, "broker")
    kept = supervisor.running
    start(supervisor, said, "worker", "web")
    said.clear()

    supervisor.stop(keep=kept)
    assert said == ["web | web stops", "worker | worker stops"]
    assert supervisor.running == 1

    start(supervisor, said, "worker", "web")
    said.clear()
    supervisor.stop()
    assert said == ["web | web stops", "worker | worker stops", "broker | broker stops"]
    assert supervisor.running == 0


def test_watching_ends_when_something_is_so(supervisor, said):
    start(supervisor, said, "broker")
    answers = iter([False, False, True])
    supervisor.watch(until=lambda: next(answers))
    assert supervisor.running == 1


def test_a_stop_asked_for_while_programs_are_stopped_is_not_forgotten(supervisor, said):
    start(supervisor, said, "broker", "web")
    signal.raise_signal(signal.SIGTERM)
    supervisor.stop(keep=1)
    with pytest.raises(StopAsked):
        supervisor.start(program("web"))
    assert supervisor.running == 1


def test_a_kept_program_that_ends_is_still_noticed(supervisor, said):
    supervisor.start(Program(name="broker", command=[sys.executable, "-c", ""], grace=1))
    with pytest.raises(ProgramEnded, match="broker ended with code 0"):
        supervisor.wait_until(lambda: False, 10)
