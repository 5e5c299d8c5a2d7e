"""The command line: what it says and with which status it ends."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aiogram import Bot
from aiogram.exceptions import TelegramUnauthorizedError
from aiogram.methods import GetMe
from aiogram.types import User
from sqlalchemy import text

from bot import __main__ as line
from bot import commands, learning
from bot.training import Task, Trained
from knowledge import base, golden, trained
from knowledge.evaluate import Report
from knowledge.model import SHIPPED
from knowledge.replay import Case
from knowledge.versions import topics
from office import audit
from office.audit import SYSTEM
from office.store import Store
from tests.make import Cast, an_entry

BOLD = replace(SHIPPED, thresholds=replace(SHIPPED.thresholds, hit=0.2))

Env = pytest.MonkeyPatch
Said = pytest.CaptureFixture[str]


@pytest.fixture
async def installed(store: Store, cast: Cast, now: Any, bare: Path, monkeypatch: Env) -> Store:
    """An installation on the test's database with one entry, named by the environment."""
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        for number in range(3):
            await audit.record(session, "test.act", f"test:{number}", actor=SYSTEM, now=now)
    monkeypatch.setenv("DATABASE_URL", store.url)
    return store


async def test_doctor_is_content_with_a_sound_installation(installed: Store, capsys: Said) -> None:
    assert await commands.doctor() == 0
    said = capsys.readouterr().out
    assert "✓ 数据库可用 database works" in said
    assert "✓ 审计链完好" in said
    assert "✓ 咨询电话已填" in said
    assert "– 未设 REDIS_URL" in said
    assert "– 未设 TELEGRAM_TOKEN" in said
    assert "✗" not in said


async def test_doctor_prepares_an_empty_folder(bare: Path, capsys: Said) -> None:
    assert await commands.doctor() == 0
    said = capsys.readouterr().out
    assert "✓ 数据库可用" in said
    assert "– 已有单位" in said


@pytest.mark.parametrize(
    "settings",
    [
        {"DATABASE_URL": "postgresql://desk:hidden@127.0.0.1:1/desk"},
        {"DATABASE_URL": "postgresql://desk:hidden@no-such-host.invalid/desk"},
        {"DATA_DIR": "file/var"},
        {"REDIS_URL": "redis://:hidden@127.0.0.1:1/0"},
    ],
    ids=["no server", "no host", "no folder", "no redis"],
)
async def test_doctor_names_what_does_not_answer(
    bare: Path, monkeypatch: Env, capsys: Said, settings: dict[str, str]
) -> None:
    (bare / "file").write_text("no folder")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert await commands.doctor() == 1
    said = capsys.readouterr().out
    assert ("✗ Redis 连不上" if "REDIS_URL" in settings else "✗ 数据库连不上") in said
    assert "hidden" not in said


async def test_doctor_tries_redis(bare: Path, monkeypatch: Env, capsys: Said, redis_url: str) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert await commands.doctor() == 0
    assert "✓ Redis 可用" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("hears_all", "status", "words"), [(False, 0, "✓ Telegram: @desk_bot"), (True, 1, "✗ Telegram 隐私模式")]
)
async def test_doctor_asks_telegram(
    bare: Path, monkeypatch: Env, capsys: Said, hears_all: bool, status: int, words: str
) -> None:
    async def me(self: Bot) -> User:
        return User(
            id=1, is_bot=True, first_name="desk", username="desk_bot", can_read_all_group_messages=hears_all
        )

    monkeypatch.setattr(Bot, "get_me", me)
    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:hidden-token")
    assert await commands.doctor() == status
    said = capsys.readouterr().out
    assert words in said
    assert "hidden" not in said


async def test_doctor_reports_a_wrong_token(bare: Path, monkeypatch: Env, capsys: Said) -> None:
    async def me(self: Bot) -> User:
        raise TelegramUnauthorizedError(GetMe(), "Unauthorized")

    monkeypatch.setattr(Bot, "get_me", me)
    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:hidden-token")
    assert await commands.doctor() == 1
    said = capsys.readouterr().out
    assert "✗ Telegram 连不上或令牌不对" in said
    assert "hidden" not in said


async def tampered(store: Store) -> None:
    """As somebody with the database in their hands would: past the triggers."""
    async with store.transaction() as session:
        if store.sqlite:
            names = await session.scalars(text("SELECT name FROM sqlite_master WHERE type='trigger'"))
            for name in list(names):
                await session.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            await session.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        await session.execute(text("UPDATE audit_entry SET action = 'test.other' WHERE id = 2"))


async def test_audit_verify_counts_and_finds_a_changed_row(installed: Store, capsys: Said) -> None:
    assert await commands.verify_audit() == 0
    assert "完好" in capsys.readouterr().out
    await tampered(installed)
    assert await commands.verify_audit() == 1
    assert "2" in capsys.readouterr().out
    assert await commands.doctor() == 1
    assert "✗ 审计链完好" in capsys.readouterr().out


async def test_audit_verify_without_a_database_says_so(bare: Path, capsys: Said) -> None:
    assert await commands.verify_audit() == 2
    assert "从没" in (said := capsys.readouterr().err) or "还没有" in said


async def test_entries_are_exported_and_can_be_loaded_again(
    installed: Store, bare: Path, capsys: Said
) -> None:
    assert await commands.base("export", bare / "out") == 0
    assert "已导出 1 条" in capsys.readouterr().out
    (file,) = (bare / "out").glob("*.yaml")
    (entry,) = yaml.safe_load(file.read_text(encoding="utf-8"))["entries"]
    assert (entry["no"], entry["question"]) == ("K-0540", "选民证丢了怎么办？")
    assert await commands.base("load", bare / "out") == 0


async def test_loading_without_a_district_is_said(bare: Path, capsys: Said) -> None:
    assert await commands.base("load", None) == 1
    assert "还没有单位" in capsys.readouterr().err


def questions(folder: Path) -> Path:
    path = folder / "asked.jsonl"
    rows = [
        {"q": "选民证丢了怎么办？", "topic": "voter_card"},
        {"q": "今天天气怎么样", "topic": "none"},
    ]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


async def test_evaluate_prints_exactly_the_figures(bare: Path, capsys: Said) -> None:
    details = bare / "details.jsonl"
    assert await commands.evaluate(questions(bare), None, as_json=True, details=details) == 0
    report = json.loads(capsys.readouterr().out)
    # Other programs know these keys; further figures stand in the table and the report only.
    assert {field.name for field in fields(Report)} > set(report)
    assert list(report) == [
        "n", "in_scope", "out_of_scope", "top1", "top3", "answered", "answered_right", "answered_wrong",
        "offered_right", "missed", "out_of_scope_answered", "auroc", "p50_ms", "p99_ms", "build_s",
    ]  # fmt: skip
    assert (report["n"], report["in_scope"], report["out_of_scope"]) == (2, 1, 1)
    lines = [json.loads(row) for row in details.read_text(encoding="utf-8").splitlines()]
    assert [row["q"] for row in lines] == ["选民证丢了怎么办？", "今天天气怎么样"]
    assert set(lines[0]) == {"q", "outcome", "best", "best_topic", "probability", "offered", "right"}


async def test_evaluate_uses_what_this_installation_has_published(installed: Store, capsys: Said) -> None:
    asked = questions(Path.cwd())
    assert await commands.evaluate(asked, None, as_json=True, details=Path("d.jsonl")) == 0
    rows = [json.loads(row) for row in Path("d.jsonl").read_text(encoding="utf-8").splitlines()]  # noqa: ASYNC240
    assert rows[0]["best"] == "K-0540"


@pytest.mark.parametrize("content", ["{", '{"q": 5, "topic": "x"}', '{"topic": "x"}'])
async def test_evaluate_names_the_line_that_it_cannot_use(bare: Path, capsys: Said, content: str) -> None:
    (bare / "bad.jsonl").write_text(content)
    assert await commands.evaluate(bare / "bad.jsonl", None, as_json=True, details=None) == 2
    assert "bad.jsonl" in capsys.readouterr().err
    assert await commands.evaluate(bare / "missing.jsonl", None, as_json=True, details=None) == 2


@pytest.fixture
def few_golden(monkeypatch: Env) -> None:
    cases = (
        Case("选民证丢了怎么办", "voter_card", kind="plain"),
        Case("今天晚饭吃什么", "none", kind="offtopic"),
        Case("几岁可以投票", "age", sealed=True),
    )
    monkeypatch.setattr(golden, "shipped", lambda: cases)


async def test_the_accuracy_report_is_written_without_a_file_of_questions(
    bare: Path, capsys: Said, few_golden: None
) -> None:
    assert await commands.evaluate(None, report_to=bare / "report.md") == 0
    made = (bare / "report.md").read_text(encoding="utf-8")
    shipped = len(base.shipped())
    assert f"Base: the shipped files, {shipped} entries. Model: `{SHIPPED.digest[:12]}`." in made
    assert f"voter_card {topics()['voter_card'].meaning}" in made
    assert "几岁可以投票" not in made
    out, err = capsys.readouterr()
    assert (out, "准确率报告已写到" in err) == ("", True)


async def test_the_report_is_of_the_shipped_base_whatever_is_installed(
    installed: Store, bare: Path, few_golden: None
) -> None:
    assert await commands.evaluate(None, report_to=bare / "report.md") == 0
    assert f"{len(base.shipped())} entries" in (bare / "report.md").read_text(encoding="utf-8")


async def test_questions_may_be_scored_along_with_the_report(
    bare: Path, capsys: Said, few_golden: None
) -> None:
    asked = questions(bare)
    assert await commands.evaluate(asked, as_json=True, report_to=bare / "report.md") == 0
    assert json.loads(capsys.readouterr().out)["n"] == 2
    assert (bare / "report.md").exists()


async def test_a_report_that_cannot_be_written_is_said(bare: Path, capsys: Said, few_golden: None) -> None:
    assert await commands.evaluate(None, report_to=bare / "missing" / "report.md") == 2
    assert "report.md" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate"], "QUESTIONS.jsonl，或用 --report"),
        (["evaluate", "--report", "report.md", "--json"], "--entries、--details、--json"),
        (["evaluate", "--report", "report.md", "--entries", "e.jsonl"], "--entries、--details、--json"),
    ],
)
def test_evaluate_says_what_it_lacks(
    bare: Path, monkeypatch: Env, capsys: Said, words: list[str], said: str
) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", *words])
    assert line.main() == 2
    assert said in capsys.readouterr().err
    assert not (bare / "report.md").exists()


def test_wrong_settings_end_with_their_names_only(bare: Path, monkeypatch: Env, capsys: Said) -> None:
    monkeypatch.setenv("PORT", "hidden")
    with pytest.raises(SystemExit) as ended:
        commands.settings()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "PORT" in said
    assert "hidden" not in said


@pytest.mark.parametrize("words", [["bench", "no-such"], ["audit", "repair"], ["fly"]])
def test_unknown_words_end_with_two(bare: Path, monkeypatch: Env, capsys: Said, words: list[str]) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", *words])
    try:
        status: object = line.main()
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert capsys.readouterr().err


async def test_no_command_reaches_the_network_by_itself(bare: Path, monkeypatch: Env, capsys: Said) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(httpx.AsyncClient, "request", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    assert await commands.doctor() == 0


async def test_learning_by_hand_says_what_came_of_it(
    installed: Store, monkeypatch: Env, capsys: Said
) -> None:
    async def train(task: Task) -> Trained:
        return Trained(BOLD, faults, {"before": {"wrong": 3}, "after": {"wrong": 2}})

    monkeypatch.setattr(learning.Learner.__init__, "__defaults__", (train,))
    faults: tuple[str, ...] = ("wrong_more",)
    assert await commands.learn() == 1
    out, err = capsys.readouterr()
    assert "before: wrong=3\nafter: wrong=2" in out
    assert "没有启用：wrong_more" in err
    faults = ()
    assert await commands.learn() == 0
    assert "已启用" in capsys.readouterr().out


async def test_learning_by_hand_names_a_failure(installed: Store, monkeypatch: Env, capsys: Said) -> None:
    async def train(task: Task) -> Trained:
        raise learning.TrainingFailed("MemoryError")

    monkeypatch.setattr(learning.Learner.__init__, "__defaults__", (train,))
    assert await commands.learn() == 1
    assert "没有学成（TrainingFailed: MemoryError）" in capsys.readouterr().err


async def test_one_may_go_back_to_an_older_model_or_the_shipped_one(
    installed: Store, now: Any, capsys: Said
) -> None:
    assert await commands.model("list", None) == 0
    assert "随附模型在用" in capsys.readouterr().out
    numbers = []
    async with installed.transaction() as session:
        for _ in range(2):
            row = await trained.keep(
                session, BOLD, base_revision=0, trained_on=[], lessons=0, figures={}, actor=SYSTEM, now=now
            )
            await trained.activate(session, row, actor=SYSTEM, now=now)
            numbers.append(row.id)
        row = await trained.keep(
            session, BOLD, base_revision=0, trained_on=[], lessons=0, figures={}, actor=SYSTEM, now=now
        )
        row.body = "{}"
    assert await commands.model("activate", str(numbers[0])) == 0
    assert await commands.model("activate", str(numbers[0])) == 1
    assert await commands.model("activate", "shipped") == 0
    assert await commands.model("activate", "shipped") == 1
    assert await commands.model("activate", "99") == 1
    assert await commands.model("activate", str(row.id)) == 1
    assert await commands.model("activate", None) == 1
    err = capsys.readouterr().err
    for words in ("它已经在用", "没有这个模型", "这个模型本版本读不了", "请写模型号"):
        assert words in err
    assert await commands.model("activate", str(numbers[1])) == 0
    capsys.readouterr()
    assert await commands.model("list", None) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[4] for line in said] == ["candidate", "active", "replaced"]
