"""Files that appear all together or not at all, readable by their owner alone."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType

from office.errors import Invalid


class Outputs:
    """What one command writes: parts beside their places, put there when everything was written.

    Use it in a `with` statement; an error in it, also an interruption, takes every part away again.
    """

    def __init__(self, *, force: bool = False) -> None:
        self._force = force
        self._parts: list[tuple[Path, Path]] = []

    def free(self, path: Path) -> None:
        """Raise `Invalid` unless a file may be written there: "roll_build.exists", "roll_build.folder"."""
        try:
            if path.is_dir() or (path.exists() and not self._force):
                raise Invalid("roll_build.exists", path=str(path))
            if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
                raise Invalid("roll_build.folder", path=str(path))
        except OSError as error:  # such as a name that is too long
            raise Invalid("roll_build.folder", path=str(path)) from error

    def part(self, path: Path) -> Path:
        """An empty file to write into, which becomes `path`."""
        self.free(path)
        try:
            descriptor, name = tempfile.mkstemp(prefix=".roll-", suffix=".part", dir=path.parent)
        except OSError as error:
            raise Invalid("roll_build.folder", path=str(path)) from error
        os.close(descriptor)
        self._parts.append((Path(name), path))
        return Path(name)

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            while kind is None and self._parts:
                part, path = self._parts[0]
                part.chmod(0o600)
                part.replace(path)
                self._parts.pop(0)
        finally:
            for part, _ in self._parts:
                part.unlink(missing_ok=True)
