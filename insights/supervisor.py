"""Keeps a few programs running together: all of them, or none.

Started in order, stopped in the opposite order, each with time to finish what it is doing. One
that ends by itself takes the others along: half a product is worse than none. Knows nothing of
Django, and has one thread, so that starting a program (a fork) is safe at any moment.
"""

import contextlib
import ctypes
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Self

# How long one look at the output of the programs may take: it is also how late a signal or a
# death is noticed.
LOOK_SECONDS = 0.2
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1

# Loaded before any fork: a child between fork and exec must not import anything.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """One program: what to run, how long it may take to stop, which lines say nothing."""

    name: str
    command: list[str]
    grace: float
    noise: re.Pattern[str] = re.compile(r"(?!)")


class StopAsked(Exception):
    """Somebody pressed Ctrl-C, or sent SIGTERM or SIGHUP."""


class ProgramEnded(Exception):
    """A program that should run on ended by itself."""

    def __init__(self, name: str, status: int) -> None:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with code {status}"
        super().__init__(f"The {name} {how}")


def die_with_parent() -> None:
    """In a child of Linux: be asked to stop when the parent is gone, even by kill -9."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A running program, and what it says."""

    def __init__(self, program: Program, environment: Mapping[str, str]) -> None:
        self.program = program
        self._unfinished = b""
        self.output, writing_end = os.pipe()
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then
        # stops the programs in order.
        self.process = subprocess.Popen(
            program.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=writing_end,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509  (safe: this process has one thread)
        )
        os.close(writing_end)

    def read_lines(self) -> list[str] | None:
        """Return the lines that are complete, after a read that does not wait; None at the end."""
        chunk = os.read(self.output, 65536)
        if not chunk:
            return None
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        texts = (line.decode(errors="replace").rstrip() for line in lines)
        return [text for text in texts if text and not self.program.noise.search(text)]

    def close(self) -> None:
        os.close(self.output)

    def ask_to_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        """Leave nothing of it: what a killed program had started itself is in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Starts, watches and stops programs; leaving the `with` block stops them all."""

    def __init__(self, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._environment = environment
        self._say = say
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stop_asked = False
        self._impatient = False

    def __enter__(self) -> Self:
        for number in STOP_SIGNALS:
            signal.signal(number, self._note_stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def running(self) -> int:
        """How many programs were started and not stopped."""
        return len(self._children)

    def start(self, program: Program) -> None:
        self._stop_if_asked()
        child = Child(program, self._environment)
        self._children.append(child)
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until `ready()`; False when it took too long.

        Raises StopAsked, or ProgramEnded when one of the programs ended meanwhile.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ready():
                # The answer counts only if everything that was started still runs.
                self._look(0)
                return True
            self._look(LOOK_SECONDS / 4)
        return False

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Pass on what the programs say, for ever or until something is so.

        Raises StopAsked, or ProgramEnded for the first program that ended by itself.
        """
        while not until():
            self._look(LOOK_SECONDS)

    def stop(self, keep: int = 0) -> None:
        """Stop in the opposite order of starting, one after the other; keep the first so many."""
        while len(self._children) > keep:
            child = self._children[-1]
            child.ask_to_stop()
            deadline = time.monotonic() + child.program.grace
            while child.process.poll() is None:
                if self._impatient or time.monotonic() > deadline:
                    self._say(f"{child.program.name} | killed: it did not stop in time")
                    break
                self._pass_on(LOOK_SECONDS / 4)
            self._bury(child)

    def _bury(self, child: Child) -> None:
        child.kill()
        self._pass_on_the_rest()
        if child.output in self._selector.get_map():
            self._selector.unregister(child.output)
        child.close()
        self._children.remove(child)

    def _look(self, seconds: float) -> None:
        self._pass_on(seconds)
        self._stop_if_asked()
        for child in self._children:
            status = child.process.poll()
            if status is not None:
                raise ProgramEnded(child.program.name, status)

    def _pass_on_the_rest(self) -> None:
        while self._pass_on(0):
            pass

    def _pass_on(self, seconds: float) -> bool:
        """Print what the programs say within so many seconds; False if they said nothing."""
        events = self._selector.select(seconds)
        for key, _ in events:
            child: Child = key.data
            lines = child.read_lines()
            if lines is None:
                self._selector.unregister(child.output)
            for line in lines or ():
                self._say(f"{child.program.name} | {line}")
        return bool(events)

    def _stop_if_asked(self) -> None:
        if self._stop_asked:
            raise StopAsked

    def _note_stop(self, number: int, _frame: FrameType | None) -> None:
        # A second Ctrl-C means: now, whatever is going on.
        self._impatient |= self._stop_asked and number == signal.SIGINT
        self._stop_asked = True
