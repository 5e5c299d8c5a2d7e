"""What tests download once and keep under `.cache/`, which git ignores and anybody may delete."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"


def kept(name: str, build: Callable[[Path], None]) -> Path:
    """The folder `.cache/<name>`, filled by `build(folder)` when it does not exist yet.

    It appears whole or not at all: a broken download leaves nothing behind, and of two test runs that build
    the same thing at once the second keeps what the first has made.
    """
    folder = CACHE / name
    if folder.exists():
        return folder
    CACHE.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=CACHE))
    try:
        draft.chmod(0o755)
        build(draft)
        try:
            draft.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder
