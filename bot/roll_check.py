"""What `doctor` says of the roll: its key, whether it fits, and whether anybody can look up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.roll import keys
from knowledge.roll.keys import BadKey
from knowledge.roll.records import RollImport, RollState
from office.hours import beijing_day

WRONG = {
    "roll_key.missing": "名册密钥文件不在 the key file of the roll is missing",
    "roll_key.readable": "名册密钥文件别人也能读，请改权限 others can read the key file of the roll",
    "roll_key.broken": "名册密钥文件坏了 the key file of the roll is broken",
    "roll_key.other_kind": "这是脱机密钥，不能放在这里 this is the offline key, it must not lie here",
}


async def check(session: AsyncSession, path: Path, line: Callable[..., None]) -> None:
    """Say how it stands; red where a roll is in force that nobody can be looked up in.

    `line(good, words, needed=...)` prints one line.
    """
    state = await session.get_one(RollState, 1)
    roll = await session.scalar(select(RollImport).where(RollImport.id == state.current_id))
    if roll is None:
        line(False, "没有启用的名册，登记查询关闭 no roll is in force: lookup is closed", needed=False)
    else:
        day = beijing_day(roll.made_at).isoformat()
        line(True, f"名册已启用 a roll is in force: {roll.election}, {day}, {roll.rows} 行 rows")
    try:
        key = keys.read_service(path)
    except BadKey as error:
        # Without a roll a missing key is no fault; one that others can read always is.
        missing = error.key == "roll_key.missing"
        line(False, f"{WRONG[error.key]}: {path}", needed=roll is not None or not missing)
        return
    line(True, f"名册密钥可用 the key of the roll can be used: {key.key_id}")
    if roll is not None:
        fits = (key.key_id, key.election) == (roll.key_id, roll.election)
        line(fits, "密钥与名册相符 the key fits" if fits else "密钥与名册不符 the key is of another roll")
    if state.stopped_at is not None:
        line(False, f"登记查询已停用 lookup is stopped: {state.stopped_why}", needed=False)
