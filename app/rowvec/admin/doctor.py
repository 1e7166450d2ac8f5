"""What could be wrong with a set-up: a list of checks, each of which yields findings: what is so, and what to do."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from alembic.script import ScriptDirectory
from psycopg import Connection, sql
from psycopg.rows import DictRow, dict_row
from rich.table import Table

import rowvec_migrations
from rowvec.admin import models
from rowvec.client import Client
from rowvec.database.connection import connect
from rowvec.database.statements import rows, statement
from rowvec.database.translate import translated
from rowvec.settings import Settings

Level = Literal["fine", "warning", "broken"]
OLDEST_SERVER = 150000
OLDEST_VECTOR = (0, 8, 4)  # 0.8.2 to 0.8.4 mend HNSW: overflow in parallel builds, corruption and lost graph by vacuum
LISTEN_SECONDS = 2.0
COLOURS: dict[Level, str] = {"fine": "green", "warning": "yellow", "broken": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: how it is, and what to do about it."""

    subject: str
    level: Level
    says: str
    do: str = ""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What is checked."""

    connection: Connection
    url: str
    settings: Settings

    def facts(self, name: str) -> list[DictRow]:
        """Return the rows of rowvec/sql/admin/doctor_<name>.sql."""
        return rows(self.connection, dict_row, statement(f"admin/doctor_{name}"))


Check = Callable[[SetUp], Iterator[Finding]]


def examine(connection: Connection, url: str, settings: Settings) -> list[Finding]:
    """Run every check; where the schema is missing or not this version's, only those that do not need it."""
    set_up = SetUp(connection, url, settings)
    found = [finding for check in WITHOUT_SCHEMA for finding in check(set_up)]
    if found[-1].level == "broken":  # the schema's finding
        return found
    return [*found, *(finding for check in WITH_SCHEMA for finding in check(set_up))]


def table(findings: Sequence[Finding]) -> Table:
    """Return the findings as a table for a terminal."""
    made = Table("what", "is", "", "do", show_lines=False)
    for finding in findings:
        made.add_row(finding.subject, f"[{COLOURS[finding.level]}]{finding.level}", finding.says, finding.do)
    return made


def vector_finding(installed: str | None, available: str | None) -> Finding:
    """Judge pgvector's versions: the one in the database and the one on the server."""
    if installed is None and available is None:
        return Finding("pgvector", "broken", "not on this server", "Install pgvector, then run `rowvec migrate`.")
    if installed is None:
        return Finding("pgvector", "broken", "not in this database", "Run `rowvec migrate`.")
    if tuple(int(part) for part in installed.split(".") if part.isdigit()) < OLDEST_VECTOR:
        do = "Install 0.8.4 or newer, ALTER EXTENSION vector UPDATE, and REINDEX what was built in parallel."
        return Finding("pgvector", "warning", f"{installed}: its HNSW index can lose rows after a vacuum", do)
    return Finding("pgvector", "fine", installed)


def _server(set_up: SetUp) -> Iterator[Finding]:
    (facts,) = set_up.facts("server")
    if facts["server_number"] < OLDEST_SERVER:
        yield Finding("server", "broken", f"PostgreSQL {facts['server']}", "Upgrade to 15 or newer.")
    else:
        yield Finding("server", "fine", f"PostgreSQL {facts['server']}")
    yield vector_finding(facts["vector"], facts["vector_available"])
    if facts["notify_usage"] > 0.5:
        do = "Find the session that LISTENs in an old transaction: pg_stat_activity."
        yield Finding("NOTIFY queue", "warning", f"{facts['notify_usage']:.0%} full; at 100 % commits fail", do)


def _schema(set_up: SetUp) -> Iterator[Finding]:
    with translated():
        found = rowvec_migrations.current(set_up.connection)
    head = ScriptDirectory.from_config(rowvec_migrations.config()).get_current_head()
    if found is None:
        yield Finding("schema", "broken", "rowvec is not in this database", "Run `rowvec migrate`.")
    elif found != head:
        yield Finding("schema", "broken", f"at {found}, this version needs {head}", "Run `rowvec migrate`.")
    else:
        yield Finding("schema", "fine", f"at {found}")


def _text_in_sql(set_up: SetUp) -> Iterator[Finding]:
    (facts,) = set_up.facts("text")
    subject = "text in SQL"
    if facts["way"] is None:
        yield Finding(subject, "warning", "not possible yet: search by vector works", facts["missing"])
    elif not facts["answered"]:
        yield Finding(subject, "warning", f"by {facts['way']}, but no daemon answers", "Start `rowvec daemon`.")
    else:
        yield Finding(subject, "fine", f"by {facts['way']}")


def _doorbell(set_up: SetUp) -> Iterator[Finding]:
    """Have another connection notify us: a pooler in transaction mode swallows LISTEN without an error.

    A NOTIFY by the listener itself proves nothing: PgBouncer delivers it together with the statement's result.
    """
    channel = sql.Identifier(f"rowvec_doctor_{secrets.token_hex(4)}")
    direct = set_up.settings.direct_url(set_up.url)
    with translated(), connect(direct, application="rowvec doctor") as listener:
        listener.execute(sql.SQL("LISTEN {}").format(channel))
        set_up.connection.execute(sql.SQL("NOTIFY {}").format(channel))
        heard = list(listener.notifies(timeout=LISTEN_SECONDS, stop_after=1))
    if heard:
        yield Finding("doorbell", "fine", "LISTEN works")
    else:
        do = "Set ROWVEC_LISTEN_URL to a direct connection; until then the daemon polls."
        yield Finding("doorbell", "warning", "LISTEN is swallowed, most likely by a pooler in transaction mode", do)


def _models(set_up: SetUp) -> Iterator[Finding]:
    known = models.models(set_up.connection, set_up.settings.models)
    if not known:
        do = "`rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`."
        yield Finding("models", "warning", "none yet", do)
    for row in known:
        if row.folder is None:
            do = f"Export it again, or set ROWVEC_MODEL_DIR (now {set_up.settings.models})."
            yield Finding(f"model {row.name}", "warning", "its artefact is not on this machine", do)
        else:
            yield Finding(f"model {row.name}", "fine", str(row.folder))


def _triggers(set_up: SetUp) -> Iterator[Finding]:
    for row in set_up.facts("triggers"):
        subject, name, table_name = f"triggers of {row['name']}", row["name"], row["table_name"]
        if row["triggers"] < row["expected"]:
            do = f"SELECT rowvec.pause('{name}'), rowvec.resume('{name}');"
            yield Finding(subject, "broken", f"missing on {table_name}: changes are not seen", do)
        elif row["disabled"]:
            do = f"ALTER TABLE {table_name} ENABLE TRIGGER USER; SELECT rowvec.recheck('{name}');"
            yield Finding(subject, "broken", f"{row['disabled']} disabled: changes are not seen", do)
        else:
            yield Finding(subject, "fine", f"on {table_name}")


def _daemons(set_up: SetUp) -> Iterator[Finding]:
    for row in set_up.facts("daemons"):
        subject = f"daemon of {row['name']}"
        if row["alive"]:
            yield Finding(subject, "fine", f"{row['alive']} with a fresh heartbeat")
        else:
            silent = f"; {row['silent']} fell silent" if row["silent"] else ""
            yield Finding(subject, "warning", f"none has a heartbeat{silent}", "Start `rowvec daemon`.")


def _sources(set_up: SetUp) -> Iterator[Finding]:
    for row in Client(set_up.connection).status():
        if row.state == "broken":
            do = f"Mend the table, then SELECT rowvec.resume('{row.name}');"
            yield Finding(f"source {row.name}", "broken", row.problem or "broken", do)
        if row.dead:
            do = f"SELECT * FROM rowvec.errors; then `rowvec retry {row.name}`."
            yield Finding(f"source {row.name}", "warning", f"{row.dead} dead letters, which are not searchable", do)


WITHOUT_SCHEMA: tuple[Check, ...] = (_server, _schema)
WITH_SCHEMA: tuple[Check, ...] = (_text_in_sql, _doorbell, _models, _triggers, _daemons, _sources)
