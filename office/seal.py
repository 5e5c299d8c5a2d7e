"""Sealed texts: what somebody must be able to read again, and nobody who only has the database."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from office.errors import Conflict


class Sealer:
    """Seals and opens short texts with a key that follows from the secret of this installation.

    A new secret cannot open what an old one sealed: `Conflict("seal_broken")`, and the text stays sealed.
    """

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"one-window sealed texts").derive(secret)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, text: str) -> bytes | None:
        """The sealed text; None for an empty one, so that nothing tells how long nothing is."""
        return self._fernet.encrypt(text.encode()) if text else None

    def open(self, sealed: bytes | None) -> str:
        """The text again; empty for None. Raises `Conflict("seal_broken")`."""
        if sealed is None:
            return ""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise Conflict("seal_broken") from error

    def seal_bytes(self, content: bytes) -> bytes:
        """Sealed content of a file; a third longer than it was."""
        return self._fernet.encrypt(content)

    def open_bytes(self, sealed: bytes) -> bytes:
        """The content again. Raises `Conflict("seal_broken")`."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise Conflict("seal_broken") from error
