"""A notebook executed in this process: no kernel to start, no message to wait for; the same outputs.

Only the first notebook of a process may be executed so (a second one would miss figures), hence one process for each.
What needs a kernel's protocol, widgets and displays that are updated, is what `--engine kernel` is for.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ipykernel.compiler import XCachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat.v4 import new_output

INLINE = "module://matplotlib_inline.backend_inline"


class Outputs(list):
    """The outputs of one cell in their order, as a front end would keep them."""

    def stream(self, name: str, text: str) -> None:
        if self and self[-1].output_type == "stream" and self[-1].name == name:
            self[-1].text += text
        else:
            self.append(new_output("stream", name=name, text=text))


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr while a cell runs."""

    encoding = "utf-8"

    def __init__(self, shell: Shell, name: str) -> None:
        self.shell, self.name = shell, name

    def write(self, text: str) -> int:
        if text:
            self.shell.outputs.stream(self.name, text)
        return len(text)

    def writable(self) -> bool:
        return True


class Results(DisplayHook):
    """The value of a cell's last line."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        self.shell.outputs.append(new_output("execute_result", data=_plain(format_dict), metadata=_plain(md_dict or {}),
                                             execution_count=self.shell.number))


class Displays(DisplayPublisher):
    """What a cell displays."""

    def publish(self, data: dict, metadata: dict | None = None, **_: Any) -> None:
        self.shell.outputs.append(new_output("display_data", data=_plain(data), metadata=_plain(metadata or {})))

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear()


class Shell(InteractiveShell):
    """IPython without a terminal: what it would print is kept as outputs."""

    def __init__(self, **more: Any) -> None:
        self.outputs, self.number = Outputs(), 0   # of the cell that runs
        super().__init__(displayhook_class=Results, display_pub_class=Displays, compiler_class=XCachingCompiler,
                         colors="nocolor", **more)

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.outputs.append(new_output("error", ename=etype.__name__, evalue=str(evalue), traceback=stb))

    def system_piped(self, command: str) -> None:
        raise NotImplementedError("shell commands need `--engine kernel`")

    system = system_piped

    def execute(self, source: str) -> tuple[Outputs, int]:
        """Outputs of a cell, and its number."""
        self.outputs, self.number = Outputs(), self.execution_count
        with self._as_streams():
            self.run_cell(source, store_history=True)
        return self.outputs, self.number

    @contextmanager
    def _as_streams(self) -> Iterator[None]:
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = Stream(self, "stdout"), Stream(self, "stderr")
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


def _plain(tree: dict) -> dict:
    """As a kernel sends it: bytes as base64, keys as text."""
    from ipykernel.jsonutil import encode_images, json_clean

    return json_clean(encode_images(tree))


def fresh_shell() -> Shell:
    """A shell of the process, with figures drawn inline as in a kernel."""
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support
    from traitlets.config import Config

    shell = Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    activate_matplotlib(INLINE)
    configure_inline_support(shell, INLINE)
    return shell


def run_cells(nb_man: Any) -> None:
    """Execute the notebook of papermill's execution manager cell by cell; ends with the first that fails."""
    shell = fresh_shell()
    nb_man.nb.metadata["language_info"] = {   # as a kernel introduces itself
        "codemirror_mode": {"name": "ipython", "version": sys.version_info[0]}, "file_extension": ".py",
        "mimetype": "text/x-python", "name": "python", "nbconvert_exporter": "python", "pygments_lexer": "ipython3",
        "version": ".".join(map(str, sys.version_info[:3]))}
    for index, cell in enumerate(nb_man.nb.cells):
        nb_man.cell_start(cell, index)
        is_fine = True
        if cell.cell_type == "code" and re.search(r"\S", cell.source):
            cell.outputs, cell.execution_count = shell.execute(cell.source)
            is_fine = not any(output.output_type == "error" for output in cell.outputs)
        if not is_fine:
            nb_man.cell_exception(cell, index)
        nb_man.cell_complete(cell, index)
        if not is_fine:
            return
