"""The shape of the conversation: order of routers, size of buttons, nothing sent by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation

import handlers
from handlers import kinds
from handlers.callbacks import HIGHEST_ROW, Op, Tap, base36, tap
from handlers.router import dispatcher
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office.store import Store

HANDLERS = sorted(Path(handlers.__file__).parent.glob("*.py"))
SOURCE = {path.name: path.read_text(encoding="utf-8") for path in HANDLERS}


def test_groups_come_first_and_the_catch_all_last() -> None:
    desk = Desk(Store("sqlite+aiosqlite://"), LiveBase())
    found = dispatcher(desk, MemoryStorage(), SimpleEventIsolation())
    names = [router.name for router in found.sub_routers]
    assert names[:4] == ["group_binding", "desk_group", "tip_taps", "groups"]
    assert names[-1] == "kinds"
    assert names == [
        "group_binding",
        "desk_group",
        "tip_taps",
        "groups",
        "lookup",
        "lookup_help",
        "staff_binding",
        "private_answer",
        "cite",
        "bulk",
        "tips",
        "doorstep",
        "platform",
        "desk",
        "duty",
        "start",
        "mine",
        "answered",
        "corrections",
        "dates",
        "notify",
        "appeals",
        "named_days",
        "neighbours",
        "stations",
        "where",
        "short_questions",
        "ask",
        "kinds",
    ]


def test_the_last_message_handler_takes_anything_and_no_other_private_one_does() -> None:
    desk = Desk(Store("sqlite+aiosqlite://"), LiveBase())
    found = dispatcher(desk, MemoryStorage(), SimpleEventIsolation())
    private = [handler for router in found.sub_routers[4:] for handler in router.message.handlers]
    assert not private[-1].filters
    assert all(handler.filters for handler in private[:-1])
    assert kinds.router.message.handlers[-1].callback is kinds.other


def test_the_dispatcher_can_be_built_twice() -> None:
    desk = Desk(Store("sqlite+aiosqlite://"), LiveBase())
    for _ in range(2):
        dispatcher(desk, MemoryStorage(), SimpleEventIsolation())


@pytest.mark.parametrize("op", list(Op))
def test_callback_data_of_every_operation_fits_and_follows_the_grammar(op: Op) -> None:
    data = tap(op, HIGHEST_ROW, HIGHEST_ROW, "z" * 12)
    assert len(data.encode()) <= 64
    assert re.fullmatch(r"1\|[a-z]{3}\|[0-9a-z]{1,10}\|[0-9a-z]{1,8}\|[0-9a-z_-]{0,12}", data)
    assert Tap.unpack(data).row == HIGHEST_ROW


def test_operations_are_registered_once_and_each_has_a_handler() -> None:
    assert len({op.value for op in Op}) == len(Op)
    for op in Op:
        assert any(
            f"Op.{op.name}" in text
            for name, text in SOURCE.items()
            if name not in ("callbacks.py", "keyboards.py")
        ), op


@pytest.mark.parametrize("row", [0, 1, 35, 36, 1295, 1296, HIGHEST_ROW])
def test_base36_comes_back(row: int) -> None:
    assert int(base36(row), 36) == row


def test_a_row_that_no_table_can_have_is_no_row() -> None:
    assert Tap.unpack(f"1|hlp|{base36(HIGHEST_ROW + 1)}|0|").row == 0


@pytest.mark.parametrize("data", ["1|HLP|1|0|", "1|hlp|-1|0|", "1|hlp|1|0|选", "1|hlp|1|0|" + "a" * 13])
def test_what_breaks_the_grammar_is_no_tap(data: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  pydantic's and aiogram's own
        Tap.unpack(data)


@pytest.mark.parametrize("name", SOURCE)
def test_handlers_return_what_is_to_be_sent(name: str) -> None:
    """`message.answer()` and its like would send inside the transaction."""
    assert not re.search(r"\.(answer|reply|edit_text|send_message|delete)\(\s*(f?\"|text|chat)", SOURCE[name])
    assert not re.search(r"\bcommit\(", SOURCE[name])
    assert "create_task" not in SOURCE[name]
    if name != "turn.py":
        assert "datetime.now" not in SOURCE[name]


@pytest.mark.parametrize("name", SOURCE)
def test_files_stay_readable(name: str) -> None:
    assert SOURCE[name].count("\n") <= 300
