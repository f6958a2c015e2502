"""How far a long task is: a bar that moves on a terminal, and plain lines anywhere else."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.core.management.base import OutputWrapper

Item = TypeVar("Item")

BAR = 24


class Progress:
    """Shows steps that together are 100 %; each says where it begins and where it ends."""

    def __init__(self, output: OutputWrapper) -> None:
        self._output = output
        self._live = output.isatty()
        self._step = ""
        self._begin = self._end = self._shown = 0

    def step(self, text: str, end: int) -> None:
        """Begin a step that lasts until `end` percent."""
        self._step, self._begin, self._end = text, self._end, end
        if self._live:
            self._draw(self._begin)
        else:
            self._write(f"{self._begin:3} %  {text}\n")

    def track(self, items: Sequence[Item]) -> Iterator[Item]:
        """Yield the items of this step, and move the bar meanwhile."""
        for number, item in enumerate(items):
            yield item
            percent = self._begin + (self._end - self._begin) * number // len(items)
            if self._live and percent != self._shown:
                self._draw(percent)

    def finish(self) -> None:
        """Leave the line to what is written next."""
        if self._live:
            self._write("\r\033[K")
        else:
            self._write("100 %\n")

    def _draw(self, percent: int) -> None:
        self._shown = percent
        done = BAR * percent // 100
        self._write(f"\r\033[K  [{'#' * done}{'.' * (BAR - done)}] {percent:3} %  {self._step}")

    def _write(self, text: str) -> None:
        # As it is: standard error would else be red, and a bar would end its line.
        self._output.write(text, style_func=str, ending="")
        self._output.flush()
