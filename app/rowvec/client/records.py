"""What the client returns: rows of rowvec's functions and views, with the names that they have in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A watched table; what changes from moment to moment is in `SourceStatus`."""

    name: str
    table_name: str  # with its schema where the search_path does not find it
    model: str
    vector_table: str  # rowvec.<name>_vectors; in column mode it holds hashes only


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a search found."""

    key: str  # the row's key as text; of several columns the row of them, as in (a,1)
    distance: float  # from the query's vector, by the model's similarity; smaller is nearer
    passage: str | None  # the chunk's text; None in a source without chunks
    chunk: int  # the chunk's number in its row; 0 without chunks


@dataclass(frozen=True, slots=True)
class HybridHit:
    """A row that `hybrid_search` found, by its vector, by its words, or by both."""

    key: str  # the row's key as text
    score: float  # sum of weight / (60 + rank) over the two lists; larger is better
    distance: float | None  # None: only the full text found it
    vector_rank: int | None  # from 1; None: not in that list
    text_rank: int | None  # likewise
    passage: str | None  # the text of the nearest chunk; None without chunks
    chunk: int | None  # None: only the full text found it


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A row of the view `rowvec.status`; counts are keys."""

    name: str
    table_name: str
    model: str
    state: str  # active, paused or broken
    pending: int  # wait in the change log, with what is leased and what is retried
    leased: int  # a daemon works at them
    retrying: int  # failed, and will be tried again
    dead: int  # failed for good, until `retry`
    lag_seconds: float  # age of the oldest live change that waits: the number to alert on
    backfill: str | None  # the phase that runs, or done
    backfill_enqueued: int | None  # so far, of about as many as the next field says
    backfill_estimate: int | None
    vector_table: str
    daemons: int  # with a heartbeat within 30 s, and this source's model
    problem: str | None  # what keeps vectors from being written
    index: str  # there, building, invalid, auto (a daemon is to build it) or none
    truncated: int  # texts beyond the model's limit, embedded by their beginning


@dataclass(frozen=True, slots=True)
class RowError:
    """A row of the view `rowvec.errors`: a key whose text could not be embedded. Never the text itself."""

    name: str  # of the source
    key: str
    state: str  # dead or retrying
    attempts: int
    error: str
    text_length: int | None  # in characters; None while it is retried
    text_hash: str | None  # hexadecimal
    at: datetime | None  # of the last attempt; None: its change was split since
    next_try_at: datetime | None  # None: dead, or due now
