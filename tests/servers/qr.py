"""Reads QR codes the way a phone does: from their picture, with a reader of its own."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import node

if TYPE_CHECKING:
    from playwright.async_api import Browser

SCALE = 4
READ = """
const jsQR = require("jsqr");
const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
const side = rows.length, pixels = new Uint8ClampedArray(side * side * 4).fill(255);
rows.forEach((row, y) => [...row].forEach((dot, x) => {
  if (dot === "#") pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
}));
const found = jsQR(pixels, side, side);
process.stdout.write(found ? found.data : "");
"""
LOOK = """
async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const { data, width, height } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const found = jsQR(data, width, height);
  return found ? found.data : "";
}
"""


def read_drawing(svg: str) -> str:
    """What the code says that an SVG draws with one line; empty if nothing can be read in it."""
    rows = ["".join(dot * SCALE for dot in row) for row in _dots(svg) for _ in range(SCALE)]
    modules = node.packages("qr")
    done = subprocess.run(
        [str(node.node()), "-e", READ],
        input=json.dumps(rows),
        cwd=modules.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


async def read_picture(browser: Browser, png: bytes) -> str:
    """What the code on a screenshot says; empty if nothing can be read in it."""
    script = Path(node.packages("qr"), "jsqr", "dist", "jsQR.js")
    page = await browser.new_page()
    try:
        await page.add_script_tag(path=script)
        address = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        found: str = await page.evaluate(LOOK, address)
        return found
    finally:
        await page.close()


def _dots(svg: str) -> list[str]:
    """The modules of a code drawn as horizontal strokes one unit high: `M4 4.5h7m1 0h1`."""
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    line = re.search(r'class="qrline"[^>]*? d="([^"]+)"|d="([^"]+)"', svg)
    assert box, "no size"
    assert line, "nothing is drawn"
    side = int(box[1])
    dots = [[" "] * side for _ in range(int(box[2]))]
    x = y = 0.0
    for step, numbers in re.findall(r"([Mmh])([^Mmh]+)", line[1] or line[2]):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if step == "M":
            x, y = values
        elif step == "m":
            x, y = x + values[0], y + values[1]
        else:
            for column in range(int(x), int(x + values[0])):
                dots[int(y)][column] = "#"
            x += values[0]
    return ["".join(row) for row in dots]
