"""Several things shown by one cell, one below the other."""

from __future__ import annotations

from typing import Any


class Stack(list[Any]):
    """A list whose items are displayed each as its own output."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for item in self:
            display(item)
