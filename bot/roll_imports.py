"""The commands `roll import`, `apply`, `back` and their kin: a package carried in without a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from bot import files
from bot.commands import no, settings
from knowledge.roll import differences, imports, keys
from knowledge.roll.records import ImportState, RollImport
from office.errors import DeskError
from office.hours import BEIJING
from office.store import Store
from office.words import say

PREVIEW = (
    ("new", "新增"), ("changed", "变动"), ("gone", "移出"), ("same", "不变"), ("refused", "未收入"),
    ("doubtful", "存疑"), ("persons", "共"), ("receipts", "回执码"), ("receipts_new", "新增回执码"),
    ("receipts_gone", "移出回执码"),
)  # fmt: skip
STATES: Mapping[ImportState, str] = {
    ImportState.LOADING: "正在导入",
    ImportState.PREPARED: "等第二人启用",
    ImportState.APPLIED: "正在使用",
    ImportState.REPLACED: "已被替换",
    ImportState.ROLLED_BACK: "已退回",
    ImportState.DROPPED: "已放弃",
    ImportState.PURGED: "已销毁",
}


async def carry_in(path: Path, account: str) -> int:
    """Prepare a package as this account and print what it would change; a second person applies it."""
    async with _acting() as desk:
        key = keys.read_service(settings().roll_key_file)
        async with desk.store.reading() as session:
            actor = await files.account(session, account)
        found = await imports.prepare(desk.store, path, key=key, actor=actor, now=desk.now)
        print(f"第 {found.id} 号，{STATES[found.state]} (number {found.id}, prepared, not yet in force)")
        _preview(found)
    return desk.status


async def apply(number: int, account: str) -> int:
    """Put a prepared import in force as this account, which must be another than the one that prepared it."""
    async with _acting() as desk, desk.store.transaction() as session:
        actor = await files.account(session, account)
        found = await imports.get(session, number)
        await imports.apply(session, found, seen=found.version, actor=actor, now=desk.now)
        _preview(found)
        desk.say(f"第 {number} 号已启用", f"number {number} is in force")
    return desk.status


async def back(account: str, why: str) -> int:
    """Take the roll in force out as this account: the one before it is asked again."""
    async with _acting() as desk, desk.store.transaction() as session:
        actor = await files.account(session, account)
        current = await imports.in_force(session)
        seen = current.version if current else 0
        found = await imports.roll_back(session, seen=seen, why=why, actor=actor, now=desk.now)
        desk.say(f"已退回到第 {found.id} 号", f"back to number {found.id}")
    return desk.status


async def drop(number: int, account: str) -> int:
    """Give up, as this account, an import that nobody has applied."""
    async with _acting() as desk, desk.store.transaction() as session:
        actor = await files.account(session, account)
        found = await imports.get(session, number)
        await imports.drop(session, found, seen=found.version, actor=actor, now=desk.now)
        desk.say(f"第 {number} 号已放弃", f"number {number} is given up")
    return desk.status


async def compare(number: int, account: str) -> int:
    """Count anew, as this account, what a prepared import would change."""
    async with _acting() as desk:
        async with desk.store.reading() as session:
            actor = await files.account(session, account)
        _preview(await imports.compare(desk.store, number, actor=actor, now=desk.now))
    return desk.status


async def show() -> int:
    """Print the imports, the latest first, and what those that wait would change."""
    async with _acting() as desk, desk.store.reading() as session:
        found = await imports.listed(session)
        for one in found:
            print(
                f"{one.id}  {one.state.value} {STATES[one.state]}  {one.election}  "
                f"{_shown(one.made_at)}  {one.counts['persons']:,}  {one.package_hash[:16]}"
            )
            if one.state is ImportState.PREPARED:
                _preview(one)
        if not found:
            print("还没有导入过名册 (no roll was carried in yet)")
    return desk.status


class _Desk:
    """What one command works with, and how it ended; good news waits until it is committed."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = datetime.now(UTC)
        self.status = 0
        self.news: list[str] = []

    def say(self, chinese: str, english: str) -> None:
        self.news.append(f"{chinese} ({english})")


@asynccontextmanager
async def _acting() -> AsyncIterator[_Desk]:
    desk: _Desk | None = None
    try:
        async with files.opened() as store:
            desk = _Desk(store)
            yield desk
    except DeskError as error:
        assert desk is not None
        facts = {name: _fact(value) for name, value in error.facts.items()}
        chinese, english = (say(error.key, language, **facts) for language in ("zh_CN", "en"))
        desk.status = no(f"没有办成：{chinese}", f"Not done: {english}")
    except (SQLAlchemyError, OSError) as error:
        if desk is None:
            raise SystemExit(_unusable(error)) from None
        desk.status = _unusable(error)
    else:
        for line in desk.news:
            print(line)


def _unusable(error: Exception) -> int:
    return no(
        f"没有办成：数据库或文件不可用（{type(error).__name__}）",
        "Not done: the database or a file cannot be used",
    )


def _preview(found: RollImport) -> None:
    for name, label in PREVIEW:
        print(f"  {label} {name}: {found.counts[name]:,}")
    other = found.counts["compared_with"]
    against = f"第 {other} 号 (number {other})" if other else "没有正在使用的名册 (no roll in force)"
    print(f"  对比 compared with: {against}")
    for name, count in differences.ending(found.counts):
        chinese, english = (
            say(f"roll_import.ending_{name}", language, count=f"{count:,}") for language in ("zh_CN", "en")
        )
        print(f"  ！{chinese} ({english})")


def _fact(value: Any) -> Any:
    return _shown(value) if isinstance(value, datetime) else value


def _shown(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
