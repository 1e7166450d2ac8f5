"""The embedded server: shared by processes, stopped by the last one, started again after every kind of crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rowvec.database import embedded
from rowvec.errors import ServerUnreachable

pytestmark = pytest.mark.slow  # each test starts a server of its own
HOLD = """
import sys
from pathlib import Path
from rowvec.database import embedded
with embedded.using(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(server_home: Path) -> Path:
    return server_home / "a home"  # a blank must not split the server's arguments


def _hold(home: Path) -> subprocess.Popen[str]:
    """Start another process that uses the server until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def _postmaster(home: Path) -> int:
    return int((embedded.data_folder(home) / "postmaster.pid").read_text().split("\n", 1)[0])


def _value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_last_user_stops_it(home: Path) -> None:
    with embedded.using(home) as url:
        assert _value(url, "SELECT 1") == 1
        with embedded.using(home) as again:
            assert again == url
        assert embedded.is_running(home)
    assert not embedded.is_running(home)


def test_processes_share_one_server(home: Path) -> None:
    other = _hold(home)
    with embedded.using(home) as url:
        first = _postmaster(home)
        other.communicate("")
        assert _value(url, "SELECT 1") == 1, "the other process must not stop what we use"
        assert _postmaster(home) == first
    assert not embedded.is_running(home)


def test_killed_user_is_no_user(home: Path) -> None:
    other = _hold(home)
    other.kill()
    other.communicate()
    assert embedded.is_running(home), "nobody was there to stop it"
    with embedded.using(home):
        pass
    assert not embedded.is_running(home)


def test_data_survive_kill_of_the_server(home: Path) -> None:
    with embedded.using(home) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(_postmaster(home), signal.SIGKILL)
        assert _value(embedded.ensure_server(home), "SELECT n FROM kept") == 42


def test_old_pid_of_another_program(home: Path) -> None:
    """After a reboot the pid in postmaster.pid may be anybody's; PostgreSQL alone refuses to start then."""
    with embedded.using(home):
        text = (embedded.data_folder(home) / "postmaster.pid").read_text()
    stale = embedded.data_folder(home) / "postmaster.pid"
    stale.write_text(text.replace(text.split("\n", 1)[0], str(os.getpid()), 1))
    with embedded.using(home) as url:
        assert _value(url, "SELECT 1") == 1


def test_interrupted_initdb_is_made_again(home: Path) -> None:
    half = home / "postgres.new-abc"
    (half / "base").mkdir(parents=True)
    with embedded.using(home) as url:
        assert _value(url, "SELECT 1") == 1
    assert not half.exists()


def test_long_home_gets_a_short_socket_path(server_home: Path) -> None:
    with embedded.using(server_home / ("x" * 110)) as url:
        assert _value(url, "SELECT 1") == 1


def test_environment_of_libpq_is_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("LC_ALL", "xx_YY.UTF-8")
    with embedded.using(home) as url:
        monkeypatch.delenv("PGPORT")
        assert _value(url, "SHOW port") == "5432"


def test_failed_start_tells_the_servers_words(home: Path) -> None:
    with embedded.using(home):
        pass
    with pytest.raises(ServerUnreachable, match="no_such_setting"):
        embedded.ensure_server(home, {"no_such_setting": "1"})


def test_vector_extension_is_there(home: Path) -> None:
    with embedded.using(home) as url:
        assert _value(url, "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 1
