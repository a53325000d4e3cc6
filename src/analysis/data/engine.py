"""The engine that a campaign is counted on: DuckDB in this process, or the server that one of its sources lives on.

What lives on a server stays there; the other tables, files, are typed here and brought to it as temporary tables.
"""

from __future__ import annotations

import os
import re
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import duckdb
import ibis
from ibis.backends.duckdb import Backend
from ibis.backends.sql import SQLBackend
from ibis.expr.types import Table

from analysis.data.files import Opened, open_files, reason
from analysis.data.names import is_wanted
from analysis.data.typed import Shape, typed
from analysis.params.address import Address
from analysis.params.load import Params
from analysis.params.model import Campaign
from analysis.params.paths import Unreadable
from analysis.params.sources import Source

MEMORY = "4GB"   # beyond it DuckDB works on disk; a hundred million events are counted in less
DRIVERS = {"postgres": "psycopg", "spark": "pyspark", "sc": "pyspark"}
PATIENCE = 10    # seconds that a server has to answer


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the tables of a params file are opened."""

    files: Backend                     # DuckDB, which reads files
    server: SQLBackend | None = None   # the engine of them all, if one of the sources lies there
    place: Address | None = None       # of the server

    @classmethod
    def of(cls, source: Source | None) -> Engine:
        """The engine for a source on a server, or for files only.

        Raises Unreadable when the server cannot be used, and says why.
        """
        spill = Path(tempfile.gettempdir(), f"campaign-{uuid.uuid4().hex}")  # DuckDB makes it, and takes it away
        files = ibis.duckdb.connect(memory_limit=MEMORY, temp_directory=str(spill))
        return cls(files, _connected(source), source.address) if source else cls(files)

    @property
    def connection(self) -> SQLBackend:
        """The backend that all tables end up in."""
        return self.server or self.files

    def table(self, campaign: Campaign, name: str, source: Source) -> Table:
        """The rows of one source of the campaign's table `name`, typed. Raises Unreadable, one arg per reason."""
        with self.telling(source):
            table = typed(self.opened(campaign, source), Shape.of(campaign, name), source)
            if self.server is None or _is_there(source):
                return table
            wanted = [column for column in table.columns if is_wanted(campaign, name, column)]
            return _on(self.place).brought(self.server, table.select(wanted))

    def opened(self, params: Params, source: Source) -> Opened:
        """The rows of a source where they are, under the names that they have there. Raises Unreadable."""
        if _is_there(source):
            return _on(self.place).opened(self.server, source)
        return open_files(self.files, params, source)

    @contextmanager
    def telling(self, source: Source) -> Iterator[None]:
        """What an engine says of a source while rows are read, which is when they are first counted, as Unreadable."""
        errors = _on(self.place).errors() if self.server else ()
        try:
            yield
        except (duckdb.Error, UnicodeDecodeError, *errors) as error:
            raise Unreadable(f"'{source.shown}' cannot be read: {reason(error)}") from None


def _is_there(source: Source) -> bool:
    """Whether the rows lie on a server."""
    return source.address is not None and source.address.is_server


def _on(place: Address) -> ModuleType:
    """The module of a server: connected, opened, brought, errors."""
    return import_module(f"analysis.data.{'postgres' if place.scheme == 'postgres' else 'spark'}")


def _connected(source: Source) -> SQLBackend:
    place, driver = source.address, DRIVERS[source.address.scheme]
    try:
        import_module(driver)
        if place.scheme == "sc":
            import_module("grpc_status")
    except ImportError:
        extra = {"psycopg": "postgres", "pyspark": "spark"}[driver]
        raise Unreadable(f"'{place.shown}' needs a driver that is not installed: "
                         f"pip install 'campaign-analysis[{extra}]'") from None
    password = os.environ.get(source.password) if source.password else None
    if source.password and not password:  # its name is not shown: it may be the password itself
        raise Unreadable("the environment variable that `password:` names is not set; set it, and run again")
    _reach(place)
    try:
        return _on(place).connected(place, password, PATIENCE)
    except Exception as error:  # every driver has errors of its own
        said = _without(password, reason(error))
        raise Unreadable(f"'{place.shown}' cannot be used: {said}") from None


def _reach(place: Address) -> None:
    """Raises Unreadable when nobody listens there: drivers take minutes to say so."""
    if not place.port:
        return
    try:
        socket.create_connection((place.host, place.port), timeout=PATIENCE).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise Unreadable(f"no answer from {place.host} at port {place.port} ({why}): check the address, "
                         "and that this machine may reach it") from None


def _without(password: str | None, said: str) -> str:
    return re.sub(re.escape(password), "***", said) if password else said
