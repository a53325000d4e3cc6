"""How far the campaigns of a batch are: a line for each that runs on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from analysis.report.apart import Tell
from analysis.report.outcome import Outcome

QUIET = 10.0   # seconds between two lines of a log about the same campaign
WIDTH = 100


class Progress:
    """Lines on stderr; safe for many threads."""

    def __init__(self, n: int, say: Callable[[str], None]) -> None:
        self.n, self.say, self.n_ended = n, say, 0
        self.running: dict[str, str] = {}     # campaign -> its line
        self.told: dict[str, float] = {}      # campaign -> when a log last had a line about it
        self.is_terminal = sys.stderr.isatty()
        self.drawn, self.lock = 0, threading.Lock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self._wipe()

    def of(self, name: str) -> Tell:
        """What a run calls with each cell that begins."""

        def tell(cell: int, cells: int, heading: str) -> None:
            line = f"{name}: cell {cell} of {cells}" + (f" · {heading}" if heading else "")
            with self.lock:
                self.running[name] = line
                if self.is_terminal:
                    self._wipe()
                    self._draw()
                elif time.monotonic() - self.told.get(name, -QUIET) >= QUIET:
                    self.told[name] = time.monotonic()
                    self.say(line)

        return tell

    def ended(self, name: str, outcome: Outcome) -> None:
        """One line that stays."""
        with self.lock:
            self.n_ended += 1
            self.running.pop(name, None)
            self._wipe()
            self.say((f"[{self.n_ended}/{self.n}] " if self.n > 1 else "") + outcome.message)
            self._draw()

    def _wipe(self) -> None:
        if self.drawn:
            sys.stderr.write(f"\033[{self.drawn}F\033[J")   # up to the first line of the block, and all below away
            self.drawn = 0

    def _draw(self) -> None:
        if self.is_terminal:
            for line in self.running.values():
                sys.stderr.write(line[:WIDTH] + "\n")
            self.drawn = len(self.running)
            sys.stderr.flush()
