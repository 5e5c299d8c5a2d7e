"""The tools that read the whole code: lint, format, types and the direction of imports."""

import subprocess
import sys

import pytest

from tests.shape.tree import ROOT


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["importlinter.cli"],
    ],
    ids=lambda command: " ".join(command),
)
def test_the_tool_finds_nothing(command):
    run = [sys.executable, "-m", *command]
    if command == ["importlinter.cli"]:
        run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
