"""What is in the two schemas, who may execute it, and under which search_path; asked of the system catalogue."""

from __future__ import annotations

import psycopg
import pytest

from tests.running import add_fake_model

OURS = "('rowvec'::regnamespace, 'rowvec_internal'::regnamespace)"

# design.md, section 4, "Two schemas": what people call and read, and nothing else. With the number of overloads.
FUNCTIONS = {
    "watch": 2, "unwatch": 1, "pause": 1, "resume": 1, "recheck": 1, "swap": 1, "retry": 1, "wait": 1, "embed": 1,
    "search": 4, "similar": 2, "hybrid_search": 2, "preview": 1,
}  # fmt: skip
VIEWS = {"status", "errors"}

# What runs with the rights of whoever searches, previews, waits, or reads a vector table. Everybody may execute it.
OPEN = {
    "begin_search", "end_search", "estimate", "exact_search", "search_sql", "chunk_search_sql", "own_vector",
    "key_matches", "key_text", "text_document", "text_hits", "ready", "search_facts", "source_of", "source_id",
    "join_text", "text_part", "json_text", "json_words", "query_vector", "preview_facts", "ask_daemon", "wait_facts",
    "waiting", "table_of",
}  # fmt: skip
# What is made for a source: gather is called by the WHEN of its trigger, visible by the policy of its vector table,
# nearest by search. The trigger's functions are for nobody.
MADE_OPEN = {
    "documents": {"gather", "visible", "nearest"},
    "chunky": {"gather", "visible"},
    "in_row": {"gather"},
    "parts": {"visible"},
    "composite": {"gather", "visible"},
}
MADE_CLOSED = {
    "documents": {"row", "truncate", "statement", "flush"},
    "chunky": {"row", "truncate", "statement", "flush"},
    "in_row": {"row", "truncate", "statement", "flush"},
    "parts": {"row", "truncate"},
    "composite": {"row", "truncate", "statement", "flush"},
}

# The caller's SQL runs inside of these: `filter`, `document`, and the `=` of the table's own key types.
CALLERS_SQL = {
    "search", "similar", "hybrid_search", "preview", "begin_search", "estimate", "own_vector", "text_hits", "nearest",
}  # fmt: skip
UNPINNED = CALLERS_SQL | {
    "end_search",  # runs in each search of 0.1 ms, and names everything with its schema
    "text_part",  # is inlined into the statement that reads the text, which a SET would prevent
    "wait",  # commits, which a procedure with a SET may not
}


@pytest.fixture
def sources(connection: psycopg.Connection) -> dict[str, int]:
    """Watch a table of each shape; give the sources' ids."""
    add_fake_model(connection)
    for statement in (
        "CREATE TABLE documents (id bigint PRIMARY KEY, title text, body text)",
        "CREATE TABLE chunky (id int PRIMARY KEY, body text)",
        "CREATE TABLE in_row (id int PRIMARY KEY, body text)",
        "CREATE TABLE parts (id int, at date, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE parts_rest PARTITION OF parts DEFAULT",
        "CREATE TABLE composite (site text, id int, body text, PRIMARY KEY (site, id))",
        "SELECT rowvec.watch('documents', ARRAY['title', 'body'])",
        "SELECT rowvec.watch('chunky', 'body', chunk_tokens => 10)",
        "SELECT rowvec.watch('in_row', 'body', into_column => 'embedding')",
        "SELECT rowvec.watch('parts', 'body')",
        "SELECT rowvec.watch('composite', 'body')",
        "CREATE INDEX ON rowvec.documents_vectors USING hnsw (embedding vector_cosine_ops)",
        "SELECT rowvec_internal.prepare_search(id) FROM rowvec_internal.source",
    ):
        connection.execute(statement.encode())
    return dict(connection.execute("SELECT name, id FROM rowvec_internal.source").fetchall())


def test_rowvec_holds_what_people_call_and_read(connection: psycopg.Connection, sources: dict[str, int]) -> None:
    functions = connection.execute(
        "SELECT proname, count(*) FROM pg_proc WHERE pronamespace = 'rowvec'::regnamespace GROUP BY 1"
    ).fetchall()
    assert dict(functions) == FUNCTIONS
    relations = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'rowvec'::regnamespace AND relkind NOT IN ('i', 'I')"
    ).fetchall()
    assert {name for (name,) in relations} == VIEWS | {f"{name}_vectors" for name in sources}


@pytest.mark.usefixtures("sources")
def test_all_of_it_has_a_comment(connection: psycopg.Connection) -> None:
    silent = connection.execute("""
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'rowvec'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
        UNION ALL
        SELECT oid::regclass::text FROM pg_class
        WHERE relnamespace = 'rowvec'::regnamespace AND relkind IN ('v', 'r')
          AND obj_description(oid, 'pg_class') IS NULL
        UNION ALL
        SELECT c.oid::regclass || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'rowvec'::regnamespace AND c.relkind = 'v' AND a.attnum > 0
          AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rowvec%' AND obj_description(oid, 'pg_namespace') IS NULL
    """).fetchall()
    assert silent == []


def _made(names: dict[str, set[str]], sources: dict[str, int]) -> set[str]:
    return {f"source_{sources[source]}_{function}" for source, made in names.items() for function in made}


def test_what_public_may_execute(connection: psycopg.Connection, sources: dict[str, int]) -> None:
    rows = connection.execute(f"""
        SELECT p.pronamespace::regnamespace::text, p.proname, has_function_privilege('public', p.oid, 'EXECUTE')
        FROM pg_proc p WHERE p.pronamespace IN {OURS}
    """).fetchall()
    assert {name for schema, name, _ in rows if schema == "rowvec"} == set(FUNCTIONS)
    assert all(open_ for schema, _, open_ in rows if schema == "rowvec")
    internal = {(name, open_) for schema, name, open_ in rows if schema == "rowvec_internal"}
    assert {name for name, open_ in internal if open_} == OPEN | _made(MADE_OPEN, sources)
    assert {name for name, open_ in internal if not open_ and name.startswith("source_")} == _made(
        MADE_CLOSED, sources
    ) | {"source_id", "source_of"} - OPEN


def test_public_may_read_no_table_of_ours(connection: psycopg.Connection, sources: dict[str, int]) -> None:
    readable = connection.execute(f"""
        SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace IN {OURS} AND a.grantee = 0
    """).fetchall()
    # Vector tables have policies: see readers/grant_vectors.sql. In column mode nothing is there to be read.
    assert {name for (name,) in readable} == {"status"} | {f"{name}_vectors" for name in sources if name != "in_row"}


@pytest.mark.usefixtures("sources")
def test_functions_run_under_a_search_path_of_their_own(connection: psycopg.Connection) -> None:
    rows = connection.execute(f"""
        SELECT regexp_replace(proname, '^source_\\d+_', ''), prosecdef,
               (SELECT c FROM unnest(proconfig) c WHERE starts_with(c, 'search_path='))
        FROM pg_proc WHERE pronamespace IN {OURS}
    """).fetchall()
    assert {name for name, _, path in rows if path is None} == UNPINNED
    assert {path for _, _, path in rows if path} == {"search_path=pg_catalog, pg_temp"}
    assert [name for name, definer, path in rows if definer and path is None] == []


def test_a_key_type_of_another_schema_is_compared_by_its_own_operator(connection: psycopg.Connection) -> None:
    """Under the fixed search_path alone, `=` of such a type would not be found, and watch() would fail."""
    add_fake_model(connection)
    for statement in (
        "CREATE SCHEMA types",
        "CREATE DOMAIN types.code AS text",
        "CREATE TABLE coded (id types.code PRIMARY KEY, body text)",
        "SELECT rowvec.watch('coded', 'body')",
    ):
        connection.execute(statement.encode())
    row = connection.execute("SELECT proconfig FROM pg_proc WHERE proname ~ '^source_\\d+_visible$'").fetchone()
    assert row == (["search_path=pg_catalog, types, pg_temp"],)


@pytest.mark.usefixtures("sources")
def test_one_role_owns_it_all(connection: psycopg.Connection) -> None:
    owners = connection.execute(f"""
        SELECT DISTINCT o::regrole::text FROM (
          SELECT proowner FROM pg_proc WHERE pronamespace IN {OURS}
          UNION ALL SELECT relowner FROM pg_class WHERE relnamespace IN {OURS}
          UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname IN ('rowvec', 'rowvec_internal')) x(o)
    """).fetchall()
    assert len(owners) == 1


def test_who_searches_cannot_widen_what_a_policy_lets_through(connection: psycopg.Connection) -> None:
    """A role's own `=`, first in its search_path, must not decide which vectors it may read."""
    add_fake_model(connection)
    role = f"{connection.info.dbname}_reader"
    connection.execute(f"CREATE ROLE {role}".encode())
    try:
        for statement in (
            "CREATE TABLE notes (id bigint PRIMARY KEY, owner text, body text)",
            "INSERT INTO notes VALUES (1, 'a', 'x'), (2, 'b', 'y')",
            "SELECT rowvec.watch('notes', 'body')",
            "INSERT INTO rowvec.notes_vectors (id, embedding) SELECT id, array_fill(0.5, ARRAY[8])::vector FROM notes",
            "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY own ON notes USING (owner = 'a')",
            f"GRANT SELECT ON notes TO {role}",
            f"GRANT USAGE ON SCHEMA rowvec TO {role}",
            f"CREATE SCHEMA evil AUTHORIZATION {role}",
            f"SET ROLE {role}",
            "CREATE FUNCTION evil.yes(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            "CREATE OPERATOR evil.= (FUNCTION = evil.yes, LEFTARG = bigint, RIGHTARG = bigint)",
            "SET search_path = evil, pg_catalog",
        ):
            connection.execute(statement.encode())
        assert connection.execute("SELECT id FROM rowvec.notes_vectors").fetchall() == [(1,)]
    finally:
        connection.execute("RESET ROLE; RESET search_path")
        connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())
