"""Key files: one stays on the offline machine and signs, one is read by the service; none in a database."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from knowledge.roll.identity import DigestKey
from office.errors import Invalid

_OFFLINE, _SERVICE = "one-window roll key, offline", "one-window roll key, service"
_LARGEST = 4096


class BadKey(Invalid):
    """A key file that is not there, not one of ours, or readable by others; never shows what is in it."""


@dataclass(frozen=True)
class OfflineKey:
    """What the offline machine holds: the digest key and the key that signs packages."""

    digest: DigestKey
    signing: Ed25519PrivateKey = field(repr=False)

    @property
    def signer(self) -> str:
        """The public half as 64 hexadecimal characters: what two persons enter at the service."""
        return self.signing.public_key().public_bytes_raw().hex()


def make(election: str) -> OfflineKey:
    """Fresh keys for one election; `election` names it, for example 东浦区2026."""
    return OfflineKey(DigestKey(election, secrets.token_bytes(32)), Ed25519PrivateKey.generate())


def write_offline(key: OfflineKey, path: Path) -> None:
    """Write the offline file, for its owner only; raises `FileExistsError` rather than replace one."""
    signing = base64.b64encode(key.signing.private_bytes_raw()).decode()
    _write(path, {"file": _OFFLINE, **_digest_fields(key.digest), "signing": signing})


def write_service(key: DigestKey, path: Path) -> None:
    """Write the file that is carried to the service; raises `FileExistsError` rather than replace one."""
    _write(path, {"file": _SERVICE, **_digest_fields(key)})


def read_offline(path: Path) -> OfflineKey:
    """The offline file; raises `BadKey`."""
    fields = _read(path, _OFFLINE)
    try:
        return OfflineKey(
            _digest_key(fields), Ed25519PrivateKey.from_private_bytes(_secret(fields["signing"]))
        )
    except (KeyError, ValueError, TypeError) as error:
        raise BadKey("roll_key.broken") from error


def read_service(path: Path) -> DigestKey:
    """The service's file; raises `BadKey`."""
    return _digest_key(_read(path, _SERVICE))


class KeyHolder:
    """The service's key, read anew when its file changes, so that a key which is gone is gone at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int, int] | None = None
        self._key: DigestKey | None = None

    def key(self) -> DigestKey:
        """The key; raises `BadKey` while there is none to be used."""
        try:
            found = self.path.stat()
        except OSError as error:
            self._seen = self._key = None
            raise BadKey("roll_key.missing") from error
        seen = (found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode)
        if self._key is None or seen != self._seen:
            self._seen = self._key = None
            self._key, self._seen = read_service(self.path), seen
        return self._key


def _digest_fields(key: DigestKey) -> dict[str, str]:
    return {"election": key.election, "key_id": key.key_id, "digest": key.as_text()}


def _write(path: Path, fields: dict[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(fields, file, ensure_ascii=False, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, kind: str) -> dict[str, Any]:
    try:
        # Windows has no such bits; there the folder's own rights have to do.
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise BadKey("roll_key.readable")
        with path.open("rb") as file:
            fields = json.loads(file.read(_LARGEST))
    except OSError as error:
        raise BadKey("roll_key.missing") from error
    except ValueError as error:
        raise BadKey("roll_key.broken") from error
    if not isinstance(fields, dict) or fields.get("file") not in (_OFFLINE, _SERVICE):
        raise BadKey("roll_key.broken")
    if fields["file"] != kind:
        raise BadKey("roll_key.other_kind")
    return fields


def _digest_key(fields: dict[str, Any]) -> DigestKey:
    try:
        key = DigestKey(str(fields["election"]), _secret(fields["digest"]))
    except (KeyError, ValueError, TypeError) as error:
        raise BadKey("roll_key.broken") from error
    if key.key_id != fields.get("key_id"):
        raise BadKey("roll_key.broken")
    return key


def _secret(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not a key") from error
    if len(found) != 32:
        raise ValueError("not a key")
    return found
