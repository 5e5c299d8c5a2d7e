"""What is remembered between two steps of a lookup, in the conversation state: never a code, never a name."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiogram.fsm.context import FSMContext

from knowledge.roll import typed_codes
from knowledge.roll.records import LookupResult
from knowledge.roll.typed_codes import Typed

# The state of a conversation may hold the digest of a receipt for as long as it holds anything.
HELD = timedelta(minutes=30)
AWAITED = timedelta(minutes=10)
_AWAITED, _DIGEST, _RESULT, _AT = "code_awaited", "receipt_digest", "lookup_result", "looked_up"


async def await_code(state: FSMContext, now: datetime) -> None:
    """A code was asked for: for a while letters and digits alone are meant as one."""
    await state.clear()
    await state.set_data({_AWAITED: now.isoformat()})


async def typed(words: str, state: FSMContext | None, now: datetime) -> Typed | None:
    """The receipt code in these words, right or mistyped, and the words without it; None if there is none."""
    if (found := typed_codes.find(words)) is not None:
        return found
    alone = typed_codes.alone(words)
    if alone is None or state is None:
        return None
    since = str((await state.get_data()).get(_AWAITED, ""))
    return alone if since >= (now - AWAITED).isoformat() else None


async def hold(state: FSMContext, digest: bytes, result: LookupResult, now: datetime) -> None:
    """Keep what a request for help right after this result will need: a keyed digest and the class."""
    await state.clear()
    await state.set_data({_DIGEST: digest.hex(), _RESULT: result.value, _AT: now.isoformat()})


async def take(state: FSMContext, result: LookupResult, now: datetime) -> bytes | None:
    """The digest that was held for a result of this class, once; None if it is another's, old or lost."""
    held = await state.get_data()
    if _DIGEST not in held:
        return None
    await state.clear()
    if held.get(_RESULT) != result.value or str(held.get(_AT, "")) < (now - HELD).isoformat():
        return None
    return bytes.fromhex(str(held[_DIGEST]))
