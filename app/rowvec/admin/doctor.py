"""What could be wrong with a set-up: each finding says how it is, and what to do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from alembic.script import ScriptDirectory
from psycopg import Connection, sql
from psycopg.rows import DictRow, dict_row
from rich.table import Table

import rowvec_migrations
from rowvec.admin import models
from rowvec.client import Client
from rowvec.database.connection import connect
from rowvec.database.statements import statement
from rowvec.database.translate import translated
from rowvec.settings import Settings

Level = Literal["fine", "warning", "broken"]
OLDEST_SERVER = 150000
OLDEST_VECTOR = (0, 8, 4)  # 0.8.2 to 0.8.4 mend HNSW: overflow in parallel builds, corruption and lost graph by vacuum
LISTEN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    level: Level
    says: str
    do: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def examine(connection: Connection, url: str, settings: Settings) -> list[Finding]:
    """Look at everything; whatever cannot be looked at is left out, since what is before it says why."""
    found = [*_server(connection)]
    schema = _schema(connection)
    found.append(schema)
    if schema.level == "broken":
        return found
    return [
        *found,
        _text_in_sql(connection),
        _doorbell(connection, settings.direct_url(url)),
        *_models(connection, settings),
        *_triggers(connection),
        *_daemons(connection),
        *_sources(connection),
    ]


def table(findings: Sequence[Finding]) -> Table:
    """Return the findings as a table for a terminal."""
    colours = {"fine": "green", "warning": "yellow", "broken": "red"}
    made = Table("what", "is", "", "do", show_lines=False)
    for finding in findings:
        made.add_row(finding.subject, f"[{colours[finding.level]}]{finding.level}", finding.says, finding.do)
    return made


def _rows(connection: Connection, name: str) -> list[DictRow]:
    with translated(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name)).fetchall()


def _server(connection: Connection) -> Iterator[Finding]:
    facts = _rows(connection, "admin/doctor_server")[0]
    old = facts["server_number"] < OLDEST_SERVER
    yield Finding(
        "server", "broken" if old else "fine", f"PostgreSQL {facts['server']}", "Upgrade to 15." if old else ""
    )
    yield vector_finding(facts["vector"], facts["vector_available"])
    if facts["notify_usage"] > 0.5:
        do = "Find the session that LISTENs in an old transaction: pg_stat_activity."
        yield Finding("NOTIFY queue", "warning", f"{facts['notify_usage']:.0%} full; at 100 % commits fail", do)


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


def _schema(connection: Connection) -> Finding:
    with translated():
        found = rowvec_migrations.current(connection)
    if found is None:
        return Finding("schema", "broken", "rowvec is not in this database", "Run `rowvec migrate`.")
    head = ScriptDirectory.from_config(rowvec_migrations.config()).get_current_head()
    if found != head:
        return Finding("schema", "broken", f"at {found}, this version needs {head}", "Run `rowvec migrate`.")
    return Finding("schema", "fine", f"at {found}")


def _text_in_sql(connection: Connection) -> Finding:
    facts = _rows(connection, "admin/doctor_text")[0]
    if facts["way"] is None:
        return Finding("text in SQL", "warning", "not possible yet: search by vector works", facts["missing"])
    if not facts["answered"]:
        return Finding("text in SQL", "warning", f"by {facts['way']}, but nobody answers", "Start `rowvec daemon`.")
    return Finding("text in SQL", "fine", f"by {facts['way']}")


def _doorbell(connection: Connection, listen_url: str) -> Finding:
    """Have another connection notify us: a pooler in transaction mode swallows LISTEN without a word.

    A NOTIFY of our own would not do: PgBouncer passes on what comes back together with our statement's result.
    """
    channel = sql.Identifier(f"rowvec_doctor_{secrets.token_hex(4)}")
    with translated(), connect(listen_url, application="rowvec doctor") as listener:
        listener.execute(sql.SQL("LISTEN {}").format(channel))
        connection.execute(sql.SQL("NOTIFY {}").format(channel))
        heard = list(listener.notifies(timeout=LISTEN_SECONDS, stop_after=1))
    if heard:
        return Finding("doorbell", "fine", "LISTEN works")
    do = "Set ROWVEC_LISTEN_URL to a direct connection; until then the daemon polls."
    return Finding("doorbell", "warning", "LISTEN is swallowed, most likely by a pooler in transaction mode", do)


def _models(connection: Connection, settings: Settings) -> Iterator[Finding]:
    rows = models.models(connection, settings.models)
    if not rows:
        do = "`rowvec export all-MiniLM-L6-v2 --out DIR`, then `rowvec model add DIR --default`."
        yield Finding("models", "warning", "none yet", do)
    for row in rows:
        if row.folder is None:
            do = f"Export it again, or set ROWVEC_MODEL_DIR (now {settings.models})."
            yield Finding(f"model {row.name}", "warning", "its artefact is not on this machine", do)
        else:
            yield Finding(f"model {row.name}", "fine", str(row.folder))


def _triggers(connection: Connection) -> Iterator[Finding]:
    for row in _rows(connection, "admin/doctor_triggers"):
        subject, do = (
            f"triggers of {row['name']}",
            f"SELECT rowvec.pause('{row['name']}'), rowvec.resume('{row['name']}');",
        )
        if row["triggers"] < row["expected"]:
            yield Finding(subject, "broken", f"missing on {row['table_name']}: changes are not seen", do)
        elif row["disabled"]:
            do = f"ALTER TABLE {row['table_name']} ENABLE TRIGGER USER; SELECT rowvec.recheck('{row['name']}');"
            yield Finding(subject, "broken", f"{row['disabled']} disabled: changes are not seen", do)
        else:
            yield Finding(subject, "fine", f"on {row['table_name']}")


def _daemons(connection: Connection) -> Iterator[Finding]:
    for row in _rows(connection, "admin/doctor_workers"):
        subject = f"daemon of {row['name']}"
        if row["alive"]:
            yield Finding(subject, "fine", f"{row['alive']} with a fresh heartbeat")
        else:
            silent = f"; {row['silent']} fell silent" if row["silent"] else ""
            yield Finding(subject, "warning", f"none has a heartbeat{silent}", "Start `rowvec daemon`.")


def _sources(connection: Connection) -> Iterator[Finding]:
    for row in Client(connection).status():
        if row.state == "broken":
            do = f"Mend the table, then SELECT rowvec.resume('{row.name}');"
            yield Finding(f"source {row.name}", "broken", row.problem or "broken", do)
        if row.dead:
            do = f"SELECT * FROM rowvec.errors; then `rowvec retry {row.name}`."
            yield Finding(f"source {row.name}", "warning", f"{row.dead} dead letters, which are not searchable", do)
