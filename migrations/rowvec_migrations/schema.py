"""The catalogue as SQLAlchemy tables: what Alembic compares a migrated database against, column by column.

The tables are made by the migrations' SQL; nothing is created from here. Vector tables are not part of it: `watch`
makes them, one a source.
"""

from __future__ import annotations

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REGCLASS, TIMESTAMP

SCHEMA = "rowvec_internal"
metadata = MetaData(schema=SCHEMA)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


model = Table(
    "model",
    metadata,
    Column("id", SmallInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("precision", Text, nullable=False),
    Column("dims", Integer, nullable=False),
    Column("max_tokens", Integer, nullable=False),
    Column("similarity", Text, nullable=False),
    Column("manifest", JSONB, nullable=False),
    Column("is_default", Boolean, nullable=False),
    _time("added_at"),
    UniqueConstraint("name"),
    Index("model_one_default", "is_default", unique=True, postgresql_where=text("is_default")),
)

source = Table(
    "source",
    metadata,
    Column("id", SmallInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("source_table", REGCLASS, nullable=False),
    Column("key_columns", ARRAY(String), nullable=False),
    Column("key_numbers", ARRAY(SmallInteger), nullable=False),
    Column("key_types", ARRAY(Text), nullable=False),
    Column("text_columns", ARRAY(String), nullable=False),
    Column("text_numbers", ARRAY(SmallInteger), nullable=False),
    Column("template", Text),
    Column("model_id", SmallInteger, ForeignKey(f"{SCHEMA}.model.id"), nullable=False),
    Column("into_column", String),
    Column("into_number", SmallInteger),
    Column("into_made", Boolean, nullable=False),
    Column("chunk_tokens", Integer),
    Column("chunk_overlap", Integer, nullable=False),
    Column("on_overflow", Text, nullable=False),
    Column("store_text", Boolean, nullable=False),
    Column("document_prompt", Text),
    Column("query_prompt", Text),
    Column("index_kind", Text),
    Column("recipe", Integer, nullable=False),
    Column("vector_table", REGCLASS, nullable=False),
    Column("state", Text, nullable=False),
    Column("problem", Text),
    Column("shape", Text, nullable=False),
    _time("created_at"),
    UniqueConstraint("name"),
)

daemon = Table(
    "daemon",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("name", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("armed", Boolean, nullable=False),
    Column("models", ARRAY(SmallInteger), nullable=False),
    _time("started_at"),
    _time("heartbeat_at"),
)

change = Table(
    "change",
    metadata,
    Column("source_id", SmallInteger, primary_key=True),
    Column("lane", SmallInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("part", SmallInteger, primary_key=True),
    Column("keys", ARRAY(Text)),
    Column("attempts", SmallInteger, nullable=False),
    Column("daemon_id", BigInteger),
    _time("visible_at"),
    _time("claimed_at", nullable=True),
    _time("enqueued_at"),
    Column("last_error", Text),
)

dead = Table(
    "dead",
    metadata,
    Column("source_id", SmallInteger, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("attempts", SmallInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("text_length", Integer),
    Column("text_hash", LargeBinary),
    _time("enqueued_at"),
    _time("died_at"),
)

backfill = Table(
    "backfill",
    metadata,
    Column("source_id", SmallInteger, ForeignKey(f"{SCHEMA}.source.id", ondelete="CASCADE"), primary_key=True),
    Column("phase", Text, nullable=False),
    Column("recheck", Boolean, nullable=False),
    Column("cursor_key", Text),
    Column("enqueued", BigInteger, nullable=False),
    Column("estimate", BigInteger, nullable=False),
    _time("requested_at"),
    _time("done_at", nullable=True),
)

query = Table(
    "query",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("model_id", SmallInteger, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("source_id", SmallInteger),
    _time("asked_at"),
    _time("claimed_at", nullable=True),
    Column("answer", VECTOR),
    Column("chunks", Text),
    Column("error", Text),
)

query_cache = Table(
    "query_cache",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("model_id", SmallInteger, nullable=False),
    Column("vector", VECTOR, nullable=False),
    UniqueConstraint("number"),
)

tally = Table(
    "tally",
    metadata,
    Column("source_id", SmallInteger, ForeignKey(f"{SCHEMA}.source.id", ondelete="CASCADE"), primary_key=True),
    Column("truncated", BigInteger, nullable=False),
)

prepared_search = Table(
    "prepared_search",
    metadata,
    Column("source_id", SmallInteger, ForeignKey(f"{SCHEMA}.source.id", ondelete="CASCADE"), primary_key=True),
    Column("statement", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("vectors", Text, nullable=False),
    Column("index", Text, nullable=False),
)

protocol = Table(
    "protocol",
    metadata,
    Column("only_row", Boolean, primary_key=True),
    Column("number", Integer, nullable=False),
)
