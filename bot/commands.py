"""The commands besides `run`. What a person reads is said in Chinese, with English beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot import demo, learning, migrate, roll_check
from bot.settings import Settings
from knowledge import base as entry_files
from knowledge import evaluate as evaluation
from knowledge import golden, report, trained
from knowledge.live import lexicon
from knowledge.match import Source
from knowledge.model import SHIPPED
from knowledge.versions import topics
from office import audit, units
from office.errors import Conflict, NotFound
from office.store import Store


def settings() -> Settings:
    """The settings, or an exit that names the wrong ones without showing their values."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = str(fault["loc"][0]).upper()
            print(f"设置 {name} 不对 (setting {name} is wrong): {fault['msg']}", file=sys.stderr)
        raise SystemExit(2) from None


def no(chinese: str, english: str) -> int:
    """Say in both languages what cannot be done; returns the exit status 1."""
    print(f"{chinese}\n{english}", file=sys.stderr)
    return 1


async def doctor() -> int:
    """Check the configuration and say in plain words what is missing; returns 1 if something must be done."""
    found = settings()
    faults = 0

    def line(good: bool, words: str, *, needed: bool = True) -> None:
        nonlocal faults
        faults += not good and needed
        print(f"{'✓' if good else '✗' if needed else '–'} {words}")

    line(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]}")
    where = "PostgreSQL" if found.database_url else f"SQLite {found.data_dir}"
    store = Store(found.store_url)
    try:
        if found.database_url is None:
            found.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with migrate.alone(store):
            await migrate.upgrade(store)
        async with store.reading() as session:
            _, fault = await audit.verify(session)
        line(True, f"数据库可用 database works: {where}")
        line(fault is None, "审计链完好 the audit chain holds")
        async with store.reading() as session:
            office = None if await demo.empty(store) else await units.election_office(session)
        line(office is not None, "已有单位 units are set up", needed=False)
        line(bool(office and office.phone), "咨询电话已填 the office's phone is set", needed=False)
        async with store.reading() as session:
            await roll_check.check(session, found.roll_key_file, line)
    except (SQLAlchemyError, OSError) as error:
        line(False, f"数据库连不上 database cannot be reached ({type(error).__name__}): {where}")
    finally:
        await store.close()
    if found.redis_url:
        from redis.asyncio import Redis

        redis = Redis.from_url(found.redis_url.get_secret_value())
        try:
            await redis.set("one-window:doctor", "1", ex=5)
            line(True, "Redis 可用 Redis works")
        except Exception as error:
            line(False, f"Redis 连不上 Redis cannot be reached ({type(error).__name__})")
        finally:
            await redis.aclose()
    else:
        line(False, "未设 REDIS_URL：单进程够用 no REDIS_URL: fine for one process", needed=False)
    if found.telegram_token:
        await _check_telegram(found, line)
    else:
        line(False, "未设 TELEGRAM_TOKEN：只有网上咨询 no TELEGRAM_TOKEN: web chat only", needed=False)
    line(
        bool(found.operator_name),
        "运营单位 OPERATOR_NAME（未设时显示测试横幅 a test banner shows without it）",
        needed=False,
    )
    return 1 if faults else 0


async def _check_telegram(found: Settings, line: Callable[[bool, str], None]) -> None:
    from bot.channels import telegram

    assert found.telegram_token is not None
    bot = telegram.make_bot(found.telegram_token.get_secret_value(), found.telegram_api_url)
    try:
        me = await bot.get_me()
        line(True, f"Telegram: @{me.username}")
        words = "Telegram 隐私模式 privacy mode is on（关闭时会读到群里所有消息 off: reads all group talk）"
        line(not me.can_read_all_group_messages, words)
    except Exception as error:
        line(False, f"Telegram 连不上或令牌不对 Telegram refused ({type(error).__name__})")
    finally:
        await bot.session.close()


async def evaluate(
    questions: Path | None,
    entries: Path | None = None,
    *,
    as_json: bool = False,
    details: Path | None = None,
    report_to: Path | None = None,
) -> int:
    """Score a file of labelled questions, write the accuracy report of the shipped base, or both.

    Returns 2 if there is nothing to do, or a file cannot be used. `knowledge.evaluate` tells the formats.
    """
    if questions is None and report_to is None:
        no(
            "请写问题文件 QUESTIONS.jsonl，或用 --report 写出准确率报告",
            "Name a file of questions, or a file for the accuracy report with --report",
        )
        return 2
    if questions is None and (entries or details or as_json):
        no(
            "--entries、--details、--json 要和问题文件 QUESTIONS.jsonl 一起用",
            "--entries, --details and --json need a file of questions",
        )
        return 2
    status = 0
    if questions is not None:
        status = await _score(questions, entries, as_json=as_json, details=details)
    if report_to is not None and not status:
        status = _report(report_to)
    return status


async def _score(questions: Path, entries: Path | None, *, as_json: bool, details: Path | None) -> int:
    try:
        asked = evaluation.read_questions(questions)
        sources = evaluation.read_entries(entries) if entries else await _published()
    except (evaluation.BadLine, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    index, seconds = evaluation.build(sources, lexicon(), None if entries else SHIPPED)
    figures, lines = evaluation.run(asked, index, build_s=seconds)
    if details:
        _write(details, "".join(f"{detail.as_json()}\n" for detail in lines))
    print(figures.as_json() if as_json else evaluation.render(figures))
    return 0


def _report(path: Path) -> int:
    """Of the shipped files alone, whatever is installed here: a report belongs to a release."""
    index, _ = evaluation.build(entry_files.shipped(), lexicon())
    try:
        made = report.measure(index, golden.shipped(), made_at=datetime.now(UTC))
        _write(path, made.as_markdown({topic.id: topic.meaning for topic in topics().values()}))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    # Figures as JSON may be read by a program from standard output.
    print(f"准确率报告已写到 {path} (accuracy report written)", file=sys.stderr)
    return 0


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def _published() -> list[Source]:
    """The published base of this installation; the shipped files where nothing is installed yet."""
    found = settings()
    if found.database_url is not None or (found.data_dir / "one-window.db").exists():
        store = Store(found.store_url)
        try:
            async with store.reading() as session:
                if sources := await entry_files.sources(session):
                    return sources
        except SQLAlchemyError:
            print(
                "数据库读不了，用随附口径 (database unreadable, using the shipped entries)", file=sys.stderr
            )
        finally:
            await store.close()
    return entry_files.shipped()


async def verify_audit() -> int:
    """Walk the audit chain; returns 1 and names the row if it is broken, 2 if there is no chain to walk."""
    store = Store(settings().store_url)
    try:
        async with store.reading() as session:
            count, fault = await audit.verify(session)
    except (SQLAlchemyError, OSError) as error:
        no(
            f"数据库读不了，还没有运行过？（{type(error).__name__}）",
            "The database cannot be read; was the program never run here?",
        )
        return 2
    finally:
        await store.close()
    if fault is None:
        print(f"审计链完好 the chain holds: {count}")
        return 0
    print(f"审计链在第 {fault.entry_id} 条断开 the chain breaks at entry {fault.entry_id}: {fault.reason}")
    return 1


async def base(act: str, folder: Path | None) -> int:
    """Load entries from files, or export what is published."""
    found = settings()
    store = Store(found.store_url)
    try:
        if found.database_url is None:
            found.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with migrate.alone(store):
            await migrate.upgrade(store)
        if act == "export":
            target = folder or found.data_dir / "entries"
            async with store.reading() as session:
                count = await entry_files.export(session, target)
            print(f"已导出 {count} 条到 {target} (exported)")
            return 0
        async with store.transaction() as session:
            district = await units.election_office(session)
            count = await entry_files.load(
                session, folder or entry_files.FOLDER, district, now=datetime.now(UTC)
            )
        print(f"已载入 {count} 条 (loaded)")
        return 0
    except NotFound:
        return no("还没有单位，请先运行一次 run", "No units are set up yet: run the program once first")
    except (SQLAlchemyError, OSError) as error:
        return no(
            f"没有完成：数据库或文件夹不可用（{type(error).__name__}）",
            "Not done: the database or the folder cannot be used",
        )
    finally:
        await store.close()


async def learn() -> int:
    """Train the matcher on this installation's base now; returns 1 if nothing new is in force then."""
    found = settings()
    store = Store(found.store_url)
    learner = learning.Learner(store, lambda: datetime.now(UTC), found.wanted_wrong)
    try:
        async with migrate.alone(store):
            await migrate.upgrade(store)
        print("开始学习，约需几分钟 learning, this takes minutes ...", flush=True)
        learned = await learner.learn(pause=timedelta())
    except (SQLAlchemyError, OSError, learning.TrainingFailed) as error:
        return no(
            f"没有学成（{type(error).__name__}: {error}）", "Not done: the database or the training failed"
        )
    finally:
        await store.close()
    if learned is None:
        return no("另一个进程正在学习", "Another process is learning")
    for name in ("before", "after"):
        counts = " ".join(f"{key}={value}" for key, value in learned.figures.get(name, {}).items())
        print(f"{name}: {counts}")
    if learned.active:
        print(f"模型 {learned.model_id} 已启用 (in force)")
        return 0
    faults = ", ".join(learned.faults)
    return no(f"模型 {learned.model_id} 没有启用：{faults}", "The model was kept and not put in force")


async def model(act: str, which: str | None) -> int:
    """List the matcher's models, or put an older one in force: a number, or `shipped`."""
    store = Store(settings().store_url)
    try:
        if act == "list":
            async with store.reading() as session:
                rows = await trained.listed(session)
            for kept in rows:
                print(
                    f"{kept.id}  {kept.made_at:%Y-%m-%d %H:%M} UTC  {kept.state.value:9}  {kept.digest[:12]}"
                )
            if not any(kept.state is trained.ModelState.ACTIVE for kept in rows):
                print("随附模型在用 (the shipped model is in force)")
            return 0
        if which is None or not (which == "shipped" or which.isdecimal()):
            return no("请写模型号，或 shipped", "Name the number of a model, or shipped")
        async with store.transaction() as session:
            row = None if which == "shipped" else await trained.get(session, int(which))
            await trained.activate(session, row, actor=audit.SYSTEM, now=datetime.now(UTC))
        print(f"已启用 {which} (in force)")
        return 0
    except NotFound:
        return no("没有这个模型", "There is no such model")
    except Conflict:
        return no("它已经在用，或刚换了别的", "It is in force already, or another one was just put in force")
    except ValueError:
        return no("这个模型本版本读不了", "This version of the program cannot read that model")
    except (SQLAlchemyError, OSError) as error:
        return no(
            f"没有完成：数据库不可用（{type(error).__name__}）", "Not done: the database cannot be used"
        )
    finally:
        await store.close()
