"""A roll carried in from the command line, by two people who give their accounts."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import roll_imports, roll_options
from knowledge.roll import imports, keys
from office.store import Store
from tests import rolls
from tests.make import Cast
from tests.voters import CAST, HE_JIE, LIN_YAN, OUYANG

Said = pytest.CaptureFixture[str]
KEY = keys.make(rolls.ELECTION)


@pytest.fixture
async def installed(store: Store, cast: Cast, bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A roll of four voters in force, and a newer package of three beside it."""
    monkeypatch.setenv("DATABASE_URL", store.url)
    monkeypatch.setenv("ROLL_KEY", str(bare / "roll.key"))
    await rolls.install_roll(store, bare, key=KEY, now=datetime.now(UTC) - timedelta(days=1))
    block = rolls.rows(KEY.digest, [LIN_YAN, HE_JIE, OUYANG])
    rolls.write(bare / "new.roll", KEY, block, made_at=datetime.now(UTC) - timedelta(minutes=5))
    return bare / "new.roll"


async def in_force(store: Store) -> int | None:
    async with store.reading() as session:
        found = await imports.in_force(session)
        return found.id if found else None


async def test_two_people_carry_a_roll_in_and_one_takes_it_out(store: Store, installed: Path, capsys: Said):
    assert await roll_imports.carry_in(installed, "周宁") == 0
    said = capsys.readouterr().out
    assert "第 2 号" in said
    assert "移出 gone: 1\n" in said
    assert "不变 same: 3\n" in said
    assert "第 1 号" in said
    assert "！1 个已打印的回执码将失效。 (1 printed receipt codes stop working.)" in said
    assert "密钥" not in said
    assert await in_force(store) == 1

    assert await roll_imports.show() == 0
    assert "移出 gone: 1\n" in capsys.readouterr().out
    assert await roll_imports.apply(2, "周宁") == 1
    assert await in_force(store) == 1
    capsys.readouterr()
    assert await roll_imports.apply(2, "王芳") == 0
    assert "第 2 号已启用" in capsys.readouterr().out
    assert await in_force(store) == 2

    assert await roll_imports.back("王芳", "第三选区编错了") == 0
    assert "已退回到第 1 号" in capsys.readouterr().out
    assert await in_force(store) == 1
    assert await roll_imports.show() == 0
    said = capsys.readouterr().out
    assert said.index("2  rolled_back 已退回") < said.index("1  applied 正在使用")


async def test_a_refusal_is_told_in_plain_words_and_changes_nothing(
    store: Store, installed: Path, capsys: Said
):
    old = installed.with_name("old.roll")
    rolls.write(old, KEY, rolls.rows(KEY.digest), made_at=rolls.MADE_AT - timedelta(days=400))
    assert await roll_imports.carry_in(old, "周宁") == 1
    told = capsys.readouterr()
    assert "2025-10-15 16:00" in told.err
    assert "not newer than the roll in force" in told.err
    assert told.out == ""
    assert await roll_imports.carry_in(installed.with_name("none.roll"), "周宁") == 1
    assert "找不到这个名册包" in capsys.readouterr().err
    assert await roll_imports.carry_in(installed, "没有这个人") == 1
    assert await roll_imports.apply(7, "王芳") == 1
    assert await roll_imports.back("王芳", "有误") == 1
    assert "没有可以退回的上一份名册" in capsys.readouterr().err
    assert await in_force(store) == 1


async def test_without_the_service_key_nothing_is_taken(installed: Path, capsys: Said):
    (installed.parent / "roll.key").unlink()
    assert await roll_imports.carry_in(installed, "周宁") == 1
    assert "没有办成" in capsys.readouterr().err


async def test_a_prepared_roll_is_compared_anew_or_given_up(store: Store, installed: Path, capsys: Said):
    assert await roll_imports.carry_in(installed, "周宁") == 0
    assert await roll_imports.compare(2, "周宁") == 0
    assert capsys.readouterr().out.count("移出 gone: 1\n") == 2
    assert await roll_imports.drop(2, "周宁") == 0
    assert await roll_imports.apply(2, "王芳") == 1
    capsys.readouterr()
    assert await roll_imports.show() == 0
    assert "2  dropped 已放弃" in capsys.readouterr().out


async def test_nobody_is_named_in_what_is_printed(installed: Path, capsys: Said):
    assert await roll_imports.carry_in(installed, "周宁") == 0
    assert await roll_imports.show() == 0
    told = capsys.readouterr()
    for voter in CAST:
        assert voter.name not in told.out + told.err
        assert voter.number not in told.out + told.err


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("import a.roll --as 周宁", ("carry_in", Path("a.roll"), "周宁")),
        ("apply 2 --as 王芳", ("apply", 2, "王芳")),
        ("drop 2 --as 王芳", ("drop", 2, "王芳")),
        ("compare 2 --as 王芳", ("compare", 2, "王芳")),
        ("back --as 王芳 --why 有误", ("back", "王芳", "有误")),
        ("list", ("show",)),
    ],
)
def test_each_act_is_typed_with_the_account_that_acts(
    typed: str, called: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
):
    seen = []

    def noted(name: str) -> Any:
        async def act(*given: Any) -> int:
            seen.append((name, *given))
            return 0

        return act

    for name in ("carry_in", "apply", "drop", "compare", "back", "show"):
        monkeypatch.setattr(roll_imports, name, noted(name))
    parser = argparse.ArgumentParser()
    roll_options.add_carrying(parser.add_subparsers(dest="act"))
    given = parser.parse_args(typed.split())
    assert roll_options.run_carrying(given) == 0
    assert seen == [called]


@pytest.mark.parametrize("typed", ["import a.roll", "apply --as 王芳", "back --as 王芳"])
def test_nobody_acts_without_an_account_a_number_or_a_reason(typed: str, capsys: Said):
    parser = argparse.ArgumentParser()
    roll_options.add_carrying(parser.add_subparsers(dest="act"))
    with pytest.raises(SystemExit):
        parser.parse_args(typed.split())
    assert "required" in capsys.readouterr().err
