"""A real Chromium for tests: the one on the PATH, else a self-contained one from npm, with Chinese glyphs."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from tests.servers import node
from tests.servers.cache import kept
from tests.servers.processes import ServerError

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
LAUNCH_MILLISECONDS = 30_000
PATIENCE_MILLISECONDS = 120_000
"""How long a step and an expectation wait. By default they give up after thirty and five seconds, which a
publication, asking all golden questions, may take beside other tests on two processors."""

FAMILY = "Noto Sans SC"
# Of some hundred subsets the common characters, and the numbered ones with signs such as ① → ✓ ● ▲.
# Bold is drawn from the regular face.
FACES = ("chinese-simplified", "latin", "87", "88", "100", "102", "105", "106", "109")

FONT_CONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{fonts}</dir>
  <cachedir>{fonts}/cache</cachedir>
  <alias><family>sans-serif</family><prefer><family>{family}</family></prefer></alias>
  <alias><family>serif</family><prefer><family>{family}</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>{family}</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True, slots=True)
class Chromium:
    """A browser program and the variables it needs besides those of the tests."""

    program: Path
    environment: dict[str, str]


def prepare() -> Chromium:
    """Find or install a browser and Chinese glyphs. The first time this may download 70 MB."""
    environment: dict[str, str] = {}
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        program = Path(found)
    else:
        folder = kept("chromium-153.0.0", _unpack_chromium)
        program = folder / "chromium"
        libraries = [str(folder / "lib"), str(folder), os.environ.get("LD_LIBRARY_PATH", "")]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, libraries))
    if not _machine_has_chinese_glyphs():
        environment["FONTCONFIG_FILE"] = str(_font_config(kept("fonts-5.3.0", _convert_fonts)))
    return Chromium(program, environment)


@asynccontextmanager
async def launch() -> AsyncIterator[Browser]:
    """A browser, closed at the end. Blocks while `prepare` installs one: call that first where it matters."""
    chromium = prepare()
    # Read when the driver starts: the wheel's Node.js runs on more systems than the driver's own.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node.node()))
    from playwright.async_api import async_playwright, expect

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.program,
            args=["--headless=shell"],
            env={**os.environ, **chromium.environment},
            chromium_sandbox=False,  # it needs rights that containers and root do not have
            timeout=LAUNCH_MILLISECONDS,
        )
        for name in ("new_context", "new_page"):
            setattr(browser, name, _patient(getattr(browser, name)))
        try:
            yield browser
        finally:
            await browser.close()


def _patient(opening: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def opened(**options: Any) -> Any:
        found = await opening(**options)
        found.set_default_timeout(PATIENCE_MILLISECONDS)
        return found

    return opened


async def axe_violations(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds wrong with the page as it stands: `id`, `impact`, `help`, `nodes` of each rule."""
    from axe_playwright_python.async_playwright import Axe

    results = await Axe().run(page)
    found: list[dict[str, Any]] = results.response["violations"]
    return found


def _unpack_chromium(folder: Path) -> None:
    import brotli

    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        node.install("chromium", Path(temporary))
        packed = Path(temporary, "node_modules", "@sparticuz", "chromium", "bin")
        if not packed.is_dir():
            raise ServerError("the npm Chromium has changed its layout; install a chromium on this machine")
        program = folder / "chromium"
        program.write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
        program.chmod(0o755)
        for name in ("al2023", "swiftshader"):
            unpacked = brotli.decompress((packed / f"{name}.tar.br").read_bytes())
            with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
                # The first releases of Python 3.11 do not know the filter yet.
                safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                archive.extractall(folder, **safely)


def _convert_fonts(folder: Path) -> None:
    # As they come, compressed for the web, these fonts draw nothing when the system's font search finds them.
    from fontTools.ttLib import TTFont

    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        node.install("fonts", Path(temporary))
        for face in FACES:
            source = f"node_modules/@fontsource/noto-sans-sc/files/noto-sans-sc-{face}-400-normal.woff2"
            with TTFont(Path(temporary, source)) as font:
                # Cut from a variable font, both still bear the name of its thinnest weight.
                font["name"].setName(FAMILY, 1, 3, 1, 0x409)
                font["name"].setName(f"{FAMILY} Regular", 4, 3, 1, 0x409)
                font.flavor = None
                font.save(folder / f"{face}.ttf")


def _font_config(folder: Path) -> Path:
    # Written anew each time, since it must name its folder in full and the project may have been moved.
    config = folder / "fonts.conf"
    text = FONT_CONFIG.format(fonts=escape(str(folder)), family=FAMILY)
    if not config.exists() or config.read_text(encoding="utf-8") != text:
        config.write_text(text, encoding="utf-8")
    return config


def _machine_has_chinese_glyphs() -> bool:
    try:
        listed = subprocess.run(
            ["fc-list", ":lang=zh-cn", "file"], capture_output=True, timeout=30, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(listed.stdout.strip())
