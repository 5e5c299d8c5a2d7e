"""The commands `export` and `import`: everything governed as files that are reviewed, edited and proposed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import migrate
from bot.commands import no, settings
from knowledge import governed_files
from knowledge.governed_files import Edit
from office.errors import DeskError, NotFound
from office.staff import Staff
from office.store import Store
from office.words import say

LONGEST = 60


async def export(folder: Path) -> int:
    """Write what is in force into `folder`: entries, rules, calendar, working time, stations."""
    try:
        _make(folder)
        async with opened() as store, store.reading() as session:
            written = await governed_files.export(session, folder, now=datetime.now(UTC))
    except NotFound:
        return no("还没有单位，请先运行一次 run", "No units are set up yet: run the program once first")
    except (SQLAlchemyError, OSError) as error:
        return _unusable(error)
    for name, count in written.items():
        print(f"{name}: {count}")
    print(f"已导出到 {folder} (exported)")
    return 0


async def read_back(folder: Path, name: str | None, basis: str) -> int:
    """Show what the files in `folder` say otherwise than what is in force; with `name`, propose it.

    `name` is the account that acts: its user name, or its name where only one has it. `basis` is the paper
    for what has none in its file: working time and stations. Returns 2 for files that cannot be used, 1 if
    nothing could be proposed; then nothing was.
    """
    if not _there(folder):
        no(f"{folder} 里没有可读的文件", "There is nothing to read in that folder")
        return 2
    now = datetime.now(UTC)
    try:
        async with opened() as store:
            async with store.reading() as session:
                found = await governed_files.edits(session, folder, now=now)
            _show(found)
            if name is None or not any(edit.propose for edit in found):
                return 0
            async with store.transaction() as session:
                count = await _propose(session, found, name, basis, now)
    except DeskError as error:
        if error.key != "base_file":
            return _refused(error)
        print(governed_files.refused(error), file=sys.stderr)
        return 2
    except (SQLAlchemyError, OSError) as error:
        return _unusable(error)
    print(f"已提出 {count} 项，等第二人签发 (proposed, waiting for a second person)")
    return 0


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _there(folder: Path) -> bool:
    return any((folder / name).exists() for name in governed_files.NAMES)


async def _propose(session: AsyncSession, found: Sequence[Edit], name: str, basis: str, now: datetime) -> int:
    actor = await account(session, name)
    count = 0
    for edit in found:
        if edit.propose is not None:
            await edit.propose(session, actor, basis, now)
            count += 1
    return count


async def account(session: AsyncSession, name: str) -> Staff:
    """The account with this user name, or with this name if it is the only one; raises `NotFound`."""
    rows = await session.scalars(select(Staff).where(or_(Staff.username == name, Staff.name == name)))
    people = [person for person in rows if person.active]
    if len(people) != 1:
        raise NotFound("staff_unknown")
    return people[0]


def _show(found: Sequence[Edit]) -> None:
    for edit in found:
        where = f"{edit.file}:{edit.line}" if edit.line else edit.file
        kept = "" if edit.parts or edit.propose else "  不在文件里，不变 (in no file: stays)"
        if edit.parts or kept:
            print(f"{where}  {edit.name}{kept}")
        for part, before, after in edit.parts:
            print(f"  {part or '*'}: {_value(before)} → {_value(after)}")
    if not any(edit.parts or edit.propose for edit in found):
        print("没有不同 (no difference)")


def _value(value: Any) -> str:
    text = "—" if value is None else " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _refused(error: DeskError) -> int:
    try:
        words = [say(error.key, language, **error.facts) for language in ("zh_CN", "en")]
    except KeyError:
        words = [f"{error.key} {dict(error.facts)}"] * 2
    return no(f"没有提出：{words[0]}", f"Not proposed: {words[1]}")


def _unusable(error: Exception) -> int:
    return no(
        f"没有完成：数据库或文件夹不可用（{type(error).__name__}）",
        "Not done: the database or the folder cannot be used",
    )


@asynccontextmanager
async def opened() -> AsyncIterator[Store]:
    """The migrated store of this installation, closed at the end."""
    found = settings()
    if found.database_url is None:
        found.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(found.store_url)
    try:
        async with migrate.alone(store):
            await migrate.upgrade(store)
        yield store
    finally:
        await store.close()
