"""The address of a database: what `path` of a source says when it is a URL. A secret never stands in one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from analysis.params.part import suggest

EXAMPLES = {
    "duckdb": "duckdb://shop.duckdb",
    "postgres": "postgres://analyst@db.example.com:5432/shop",
    "spark": "spark://master.example.com:7077, or spark://local",
    "sc": "sc://spark.example.com:15002",
}
ALIASES = {"postgresql": "postgres"}
PORTS = {"postgres": 5432, "spark": 7077, "sc": 15002}
SECRETS = {"password", "passfile", "sslpassword", "token"}
ENV = "say `password:` and the name of the environment variable that holds it"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is."""

    scheme: str                            # duckdb, postgres, spark or sc (Spark Connect)
    host: str = ""
    port: int = 0
    user: str = ""
    database: str = ""                     # its name; of DuckDB the path of its file
    options: tuple[tuple[str, str], ...] = ()   # of the connection, such as sslmode

    @property
    def is_server(self) -> bool:
        """Whether it is an engine of its own, whose rows stay where they are."""
        return self.scheme != "duckdb"

    @property
    def is_local(self) -> bool:
        """Spark on this machine, started when it is asked for."""
        return self.scheme == "spark" and self.host == "local"

    @property
    def shown(self) -> str:
        """For reports and errors: without the user and the options."""
        port = f":{self.port}" if self.port else ""
        database = f"/{self.database}" if self.scheme == "postgres" else self.database
        return f"{self.scheme}://{self.host}{port}{database}"


def address(path: str) -> Address | None:
    """What a URL says; None for the path of a file. Raises ValueError."""
    scheme, separator, rest = path.partition("://")
    if not separator:
        return None
    scheme = ALIASES.get(scheme.lower(), scheme.lower())
    if scheme not in EXAMPLES:
        raise ValueError(f"'{scheme}://' is neither a file nor a database that can be read{suggest(scheme, EXAMPLES)}")
    if scheme == "duckdb":
        if not rest:
            raise ValueError(f"names no file; write it like {EXAMPLES[scheme]}")
        return Address(scheme, database=unquote(rest))
    return _server(scheme, path)


def _server(scheme: str, path: str) -> Address:
    try:
        url, parameters = _split(scheme, path)
        port = url.port
    except ValueError:
        raise ValueError(f"is not an address like {EXAMPLES[scheme]}") from None  # what was written may hold a secret
    if url.password is not None or SECRETS & {name.lower() for name, _ in parameters}:
        raise ValueError(f"a password in a params file is no secret: take it out, and {ENV}")
    host, database = url.hostname or "", unquote(url.path.strip("/"))
    if not host or (scheme == "postgres") != bool(database) or "/" in database:
        raise ValueError(f"is not an address like {EXAMPLES[scheme]}")
    is_local = scheme == "spark" and host == "local"
    return Address(scheme, host, 0 if is_local else port or PORTS[scheme], unquote(url.username or ""), database,
                   tuple(parameters))


def _split(scheme: str, path: str) -> tuple[SplitResult, list[tuple[str, str]]]:
    """The URL without its options, and those; of Spark Connect they stand behind `/;` and `;`."""
    separator, between = (";", ";") if scheme == "sc" else ("?", "&")
    head, _, tail = path.partition(separator)
    return urlsplit(head), parse_qsl(tail, keep_blank_values=True, separator=between)
