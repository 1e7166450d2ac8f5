"""Keys of any type and number, names that need quotes: what the trigger writes is what the daemon reads back."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest

from tests.checking import assert_in_step, differences, wait

# A key's type, and the key of row g, all different for g from 1 to 30.
KEYS = {
    "smallint": "g::smallint",
    "integer": "g",
    "bigint": "g + 5000000000",
    "numeric": "g / 3.0",
    "numeric(12,4)": "g / 3.0",
    "real": "g / 3.0::real",
    "double precision": "g / 3.0::float8",
    "money": "(g * 1234.56)::numeric::money",
    "text": """'k"''\\{},( ' || g""",
    "varchar(12)": "'a,b(' || g",
    "char(8)": "g::text",
    '"char"': 'chr(g + 64)::"char"',
    "name": "'n' || g",
    "uuid": "md5(g::text)::uuid",
    "bytea": "decode(md5(g::text), 'hex')",
    "date": "date '2024-11-28' + g",
    "timestamp": "timestamp '2024-11-03 01:30:00.123456' + g * interval '7 min'",
    "timestamp(0)": "timestamp '2024-11-03 01:30:00' + g * interval '7 min'",
    "timestamptz": "timestamptz '2024-11-03 00:30:00.123456-04' + g * interval '7 min'",
    "time": "time '00:00' + g * interval '7 min'",
    "timetz": "timetz '00:00+05:30' + g * interval '7 min'",
    "interval": "g * interval '1 mon -1 day 1.5 s'",
    "inet": "inet '10.0.0.0/8' + g",
    "cidr": "set_masklen(inet '10.0.0.0' + g, 32)::cidr",
    "macaddr": "('08:00:2b:01:02:' || lpad(to_hex(g), 2, '0'))::macaddr",
    "bit(8)": "g::bit(8)",
    "varbit": "g::bit(8)::varbit",
    "int4range": "int4range(g, g + 2)",
    "int[]": "ARRAY[g, NULL, -g]",
    "jsonb": "jsonb_build_object('a', g)",
    "pg_lsn": "pg_lsn '0/0' + g",
    "mood": "('m' || g)::mood",
    "positive": "g",
    "code": "'C' || g",
}


@pytest.fixture
def types(user: psycopg.Connection) -> psycopg.Connection:
    labels = ", ".join(f"'m{g}'" for g in range(1, 61))
    user.execute(f"CREATE TYPE mood AS ENUM ({labels})")
    user.execute("CREATE DOMAIN positive AS bigint CHECK (VALUE > 0)")
    user.execute("CREATE DOMAIN code AS varchar(5) NOT NULL")
    return user


@pytest.mark.slow
def test_keys_of_every_type_whatever_the_session_says(types: psycopg.Connection) -> None:
    names = {type_: f"keys_{i}" for i, type_ in enumerate(KEYS)}
    for type_, name in names.items():
        types.execute(f"CREATE TABLE {name} (k {type_} PRIMARY KEY, body text)")
        types.execute(f"INSERT INTO {name} SELECT {KEYS[type_]}, 'old ' || g FROM generate_series(1, 10) g")
        types.execute(f"SELECT rowvec.watch('{name}', 'body')")
    # What a user's session may say about how values are written; the key in the log must not depend on it.
    types.execute("SET datestyle = 'SQL, DMY'; SET intervalstyle = 'sql_standard'; SET timezone = 'Asia/Tokyo'")
    types.execute("SET extra_float_digits = -10; SET bytea_output = 'escape'; SET lc_monetary = 'C.UTF-8'")
    for type_, name in names.items():
        types.execute(f"INSERT INTO {name} SELECT {KEYS[type_]}, 'new ' || g FROM generate_series(11, 20) g")
        types.execute(f"UPDATE {name} SET body = 'changed' WHERE body IN ('old 3', 'new 13')")
        types.execute(f"DELETE FROM {name} WHERE body IN ('old 5', 'new 15')")
        types.execute(f"UPDATE {name} SET k = (SELECT {KEYS[type_]} FROM (VALUES (21)) n(g)) WHERE body = 'new 11'")
    types.execute("SET lock_timeout = 0")
    wrong = {}
    for type_, name in names.items():
        wait(types, name)
        if found := differences(types, name):
            wrong[type_] = found
    assert wrong == {}
    assert_in_step(types, names["uuid"], 18)


ODD = '"Odd, ""Names"""'


def test_keys_of_several_columns(types: psycopg.Connection) -> None:
    types.execute(
        f'CREATE TABLE {ODD} ("Key A" text, "select" positive, at timestamptz, "Text, of it" text, gone int,'
        ' PRIMARY KEY (at, "Key A", "select"))'
    )
    types.execute(f"ALTER TABLE {ODD} DROP COLUMN gone")
    types.execute(f"SELECT rowvec.watch('{ODD}', 'Text, of it', name => 'Odd one')")
    awkward = ["", " ", ",", "(", '"', "'", "\\", "a b", "NULL", "{}", "é\n", "%s"]
    for i, value in enumerate(awkward):
        types.execute(f"INSERT INTO {ODD} VALUES (%s, %s, now(), %s)", (value, i + 1, f"text of {value}"))
    assert_in_step(types, "Odd one", len(awkward))
    types.execute(f"""UPDATE {ODD} SET "Key A" = "Key A" || 'x' WHERE "select" < 6""")
    types.execute(f"""UPDATE {ODD} SET "Text, of it" = 'changed' WHERE "select" > 3""")
    types.execute(f'DELETE FROM {ODD} WHERE "select" IN (1, 12)')
    assert_in_step(types, "Odd one", len(awkward) - 2)


def test_names_of_63_bytes_in_a_schema_of_their_own(user: psycopg.Connection) -> None:
    long = "ü" * 31
    user.execute(f'CREATE SCHEMA "S.{long[:20]}"')
    table = f'"S.{long[:20]}"."{long}"'
    user.execute(f'CREATE TABLE {table} ("{long}" int UNIQUE NOT NULL, "T{long}" text)')
    with pytest.raises(psycopg.errors.NameTooLong):
        user.execute(f"SELECT rowvec.watch('{table}', 'T{long}')")
    user.execute(f"SELECT rowvec.watch('{table}', 'T{long}', name => 'long')")
    user.execute(f"INSERT INTO {table} SELECT g, 'text ' || g FROM generate_series(1, 5) g")
    assert_in_step(user, "long", 5)


def test_keys_that_are_equal_though_written_otherwise(user: psycopg.Connection) -> None:
    tables = [("number", "numeric", "1.0", "1.00")]
    with suppress(psycopg.errors.FeatureNotSupported):  # the embedded server has no ICU
        user.execute("CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
        tables.append(("folded", "text COLLATE folded", "Key", "KEY"))
    for table, type_, first, second in tables:
        user.execute(f"CREATE TABLE {table} (k {type_} PRIMARY KEY, body text)")
        user.execute(f"SELECT rowvec.watch('{table}', 'body')")
        user.execute(f"INSERT INTO {table} VALUES (%s, 'one')", (first,))
        user.execute(f"UPDATE {table} SET k = %s, body = 'two'", (second,))
        user.execute(f"UPDATE {table} SET k = %s, body = 'three'", (first,))
        assert_in_step(user, table, 1)


def test_a_table_without_a_key_is_refused_with_what_to_do(user: psycopg.Connection) -> None:
    user.execute("CREATE TABLE keyless (id int UNIQUE, body text)")
    with pytest.raises(psycopg.Error) as refused:
        user.execute("SELECT rowvec.watch('keyless', 'body')")
    assert refused.value.diag.message_hint
