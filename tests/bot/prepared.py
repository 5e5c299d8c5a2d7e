"""What every program of the tests needs is imported here, once, in the process that they are forked from.

Meanwhile no garbage is collected, which takes a third of the time, and what is there then is shared. The
pages are compiled too: each program shows some of them.
"""

from __future__ import annotations

import gc
from importlib import import_module


def prepare() -> None:
    """Import the program and compile its pages."""
    for name in ("bot.serve", "bot.files", "tests.bot.running"):
        import_module(name)
    pages = import_module("admin.pages").environment()
    for name in pages.list_templates(extensions=["html"]):
        pages.get_template(name)


gc.disable()
prepare()
gc.freeze()
gc.enable()
