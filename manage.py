#!/usr/bin/env python3
"""Set up this project and start it, with nothing but Python 3.11 or later and pip.

    python3 manage.py run                  the service (also the default)
    python3 manage.py test [pytest args]   the tests, with the tools they need
    python3 manage.py bench [NAME ...]     speed and quality beside other tools, installed for this alone
    python3 manage.py mutate [module ...]  mutation testing of the pure modules
    python3 manage.py lock [--upgrade]     write the requirement files anew from pyproject.toml
    python3 manage.py COMMAND [args]       any other command of the service, e.g. doctor

The first start installs into `.boot/` and `.venv/` beside this file; later ones only compare a stamp.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BOOT, VENV = ROOT / ".boot", ROOT / ".venv"
# Apart from `.venv`, so that neither the service nor its tests can come to need what only a bench compares.
BENCH_VENV = BOOT / "bench"
UV_VERSION = "0.13.8"
WINDOWS = os.name == "nt"
UV = BOOT / "bin" / ("uv.exe" if WINDOWS else "uv")
PYTHON = "Scripts/python.exe" if WINDOWS else "bin/python"


def must(chinese: str, english: str, program: object, words: str, *rest: object) -> None:
    """Run an installing command; a failure ends the program in plain words, without a traceback."""
    try:
        subprocess.run([str(part) for part in (program, *words.split(), *rest)], check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError) as error:
        if isinstance(error, OSError):  # the program itself did not start, so it has said nothing
            print(error, file=sys.stderr)
        sys.exit(
            f"\n失败：{chinese}。请看上面的提示，检查网络后重试。\n"
            f"Failed: {english}. See the lines above, check the network, then try again."
        )


def get_uv() -> None:
    # The version folder is part of the test: raising the pin must replace an older uv.
    if not (UV.exists() and (BOOT / f"uv-{UV_VERSION}.dist-info").exists()):
        pip = f"-m pip install -qq --disable-pip-version-check --upgrade uv=={UV_VERSION} --target"
        must("安装 uv（需要 pip）", "installing uv (pip is needed)", sys.executable, pip, BOOT)


def install(requirements: str, venv: Path = VENV) -> Path:
    """Bring `venv` in line with one hashed requirement file, unless its stamp says that it is.

    Returns its Python.
    """
    wanted = hashlib.sha256((ROOT / requirements).read_bytes()).hexdigest()
    stamp, python = venv / f".{requirements}.ok", venv / PYTHON
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    get_uv()
    if not python.exists():  # also when the Python it was made from has gone: then it must be made anew
        name = venv.relative_to(ROOT)
        must(f"建立 {name}", f"making {name}", UV, "venv --quiet --clear --python", sys.executable, venv)
    words = f"pip install --quiet --require-hashes -r {requirements} --python"
    must(f"安装 {requirements} 中的依赖", f"installing the packages of {requirements}", UV, words, python)
    stamp.write_text(wanted)
    return python


def lock(options: list[str]) -> None:
    get_uv()
    common = (
        "pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml"
    )
    for words in (
        "-o requirements.txt",
        # Held to the versions of the first: both files are installed into the same `.venv`.
        "--group dev -c requirements.txt -o requirements-dev.txt",
        "--group bench -c requirements.txt -c requirements-dev.txt -o requirements-bench.txt",
    ):
        name = words.split()[-1]
        must(f"生成 {name}", f"writing {name}", UV, f"{common} {words}", *options)


def main(arguments: list[str]) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an older Python may be asked to start
        sys.exit(
            "需要 Python 3.11 或更高版本。\nPython 3.11 or later is needed; this is " + sys.version.split()[0]
        )
    command, rest = (arguments or ["run"])[0], arguments[1:]
    if command == "lock":
        lock(rest)
        return
    if command in ("bench", "mutate"):
        python = install("requirements-bench.txt", BENCH_VENV)
    else:
        python = install("requirements-dev.txt" if command == "test" else "requirements.txt")
    os.chdir(ROOT)  # `python -m` finds the packages, and `var/` its place, from here
    # The whole suite runs in three processes, because on two cores each waits for servers and browsers half
    # of its time; a few named tests start sooner in one. In the order of files, which `conftest.py` makes: by
    # the number of tests in each, the long stories would come last, alone.
    whole = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    tests = ["pytest", *(rest or whole)]
    programs = {"test": tests, "mutate": ["tests.mutation.run", *rest]}
    line = [str(python), "-m", *programs.get(command, ["bot", command, *rest])]
    if WINDOWS:  # execve there would give the prompt back before the program ends
        sys.exit(subprocess.call(line))
    os.execve(line[0], line, os.environ)


if __name__ == "__main__":
    main(sys.argv[1:])
