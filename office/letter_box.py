"""A letter box: whoever writes may put a text in without any secret, and only who holds its key takes it out.

What arrives for a confidential case is written down by code that has no key at hand, an update of a chat or
an officer's note. With a key of its own for each box it need not have one.
"""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from office.errors import Conflict

_SHORT = 32


def new() -> tuple[bytes, bytes]:
    """The key and the slot of a new box, 32 bytes each; the key is for `Sealer` to keep, the slot is open."""
    key = X25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def put_in(slot: bytes, text: str) -> bytes:
    """The text as only the key of this box opens it."""
    once = X25519PrivateKey.generate()
    mine = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(slot))
    return mine + _cipher(shared, mine + slot).encrypt(text.encode())


def take_out(key: bytes, letter: bytes) -> str:
    """The text of a letter. Raises `Conflict("seal_broken")` for one that was put into another box."""
    try:
        own = X25519PrivateKey.from_private_bytes(key)
        theirs = letter[:_SHORT]
        shared = own.exchange(X25519PublicKey.from_public_bytes(theirs))
        slot = own.public_key().public_bytes_raw()
        return _cipher(shared, theirs + slot).decrypt(letter[_SHORT:]).decode()
    except (InvalidToken, InvalidSignature, ValueError) as error:
        raise Conflict("seal_broken") from error


def _cipher(shared: bytes, both: bytes) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=both, info=b"one-window letter box").derive(shared)
    return Fernet(base64.urlsafe_b64encode(derived))
