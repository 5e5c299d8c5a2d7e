"""Checking an exported file on the command line: whether its rows are those that left the desk."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.commands import no, settings
from office.errors import DeskError
from office.store import Store
from office.words import CHINESE, LANGUAGES, say
from ticketing import exports


def run(path: Path) -> int:
    """Compare a file with what was exported; returns 0 if it is unchanged, 1 if not, 2 if it is no export."""
    try:
        content = path.read_bytes()
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    return asyncio.run(verify(content))


async def verify(content: bytes) -> int:
    """The same for what is in the file."""
    store = Store(settings().store_url)
    try:
        async with store.reading() as session:
            verdict = await exports.verify(session, content)
    except DeskError as error:
        for language in LANGUAGES:
            print(say(error.key, language, **error.facts), file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        no(f"没有完成：数据库不可用（{type(error).__name__}）", "Not done: the database cannot be used")
        return 2
    finally:
        await store.close()
    key = "good" if verdict.good else "mark" if verdict.whole else "changed"
    for language in LANGUAGES:
        print(say(f"export.verdict_{key}", language))
    row = verdict.export
    number = f"{say('export.no', CHINESE)} {row.id}"
    print(f"{number} · {verdict.who} · {row.at:%Y-%m-%d %H:%M} UTC · {verdict.rows}/{row.rows}")
    return 0 if verdict.good else 1
