"""Sources in a PostgreSQL database: a role that may read its tables and make temporary ones."""

from __future__ import annotations

import io
import weakref

import ibis
import pyarrow as pa
import pyarrow.csv
import sqlglot.expressions as sge
from ibis.backends.postgres import Backend
from ibis.expr.types import Table
from ibis.util import gen_name

from analysis.data.files import Opened
from analysis.params.address import Address
from analysis.params.part import suggest
from analysis.params.paths import Unreadable
from analysis.params.sources import Source

TABLES = """select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'v', 'm', 'f', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')"""
MAY = """select has_database_privilege(current_database(), 'TEMP')
    and not current_setting('transaction_read_only')::bool"""
COLLATED = "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and attcollation <> 0"


def connected(place: Address, password: str | None, patience: int) -> Backend:
    """Raises what the driver raises, and PermissionError for a role that may not make temporary tables."""
    options = {"connect_timeout": str(patience), **dict(place.options)}
    connection = ibis.postgres.connect(host=place.host, port=place.port, user=place.user or None, password=password,
                                       database=place.database, **options)
    weakref.finalize(connection, connection.con.close)
    if not connection.con.execute(MAY).fetchone()[0]:
        raise PermissionError("the role may not make temporary tables, which stand in for what is counted in between: "
                              "`grant temporary on database ... to ...`, and no `default_transaction_read_only`")
    return connection


def opened(connection: Backend, source: Source) -> Opened:
    """The rows of a table or view, where they are. Raises Unreadable."""
    import psycopg

    name = source.table if "." in source.table else f"public.{source.table}"
    schema, _, table = name.partition(".")
    names = [name for name, in connection.con.execute(TABLES).fetchall()]
    if name not in names:
        raise Unreadable(f"'{source.address.shown}' has no table '{source.table}'{suggest(source.table, names)}")
    quoted = psycopg.sql.Identifier(schema, table).as_string(connection.con)
    collated = {column for column, in connection.con.execute(COLLATED, [quoted]).fetchall()}
    found = connection.table(table, database=schema)
    return Opened(_in_byte_order(connection, found, schema, table, collated), is_server=True)


def errors() -> tuple[type[Exception], ...]:
    """What the driver raises when a question cannot be answered."""
    import psycopg

    return (psycopg.Error,)


def brought(connection: Backend, table: Table) -> Table:
    """A table of files as a temporary one of the server, by way of Arrow and COPY."""
    name, schema = gen_name("brought"), table.schema()
    connection.create_table(name, schema=schema, temp=True)
    target = sge.to_identifier(name, quoted=True).sql("postgres")
    files = table.get_backend()
    with connection.con.cursor() as cursor, cursor.copy(f"copy {target} from stdin (format csv)") as copy:
        for batch in files.con.sql(files.compile(table)).to_arrow_reader(100_000):
            copy.write(_csv(batch))
    connection.raw_sql(f"analyze {target}").close()
    return connection.table(name)


def _csv(batch: pa.RecordBatch) -> memoryview:
    """Null is nothing, and an empty text is "", as COPY has it."""
    buffer = io.BytesIO()
    pa.csv.write_csv(batch, buffer, pa.csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return buffer.getbuffer()


def _in_byte_order(connection: Backend, table: Table, schema: str, name: str, collated: set[str]) -> Table:
    """The table with texts ordered by their bytes, as on every other engine, whatever the database's language."""
    def column(name: str) -> sge.Expression:
        own = sge.column(name, quoted=True)
        return sge.alias_(sge.Collate(this=own, expression=sge.to_identifier("C", quoted=True)) if name in collated
                          else own, name, quoted=True)

    place = sge.Table(this=sge.to_identifier(name, quoted=True), db=sge.to_identifier(schema, quoted=True))
    query = sge.select(*[column(name) for name in table.columns]).from_(place)
    return connection.sql(query.sql("postgres"), dialect="postgres")
