"""Key files: for their owner only, never replaced, read anew when they change, silent in errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.roll import keys
from knowledge.roll.keys import BadKey, KeyHolder


def refused(read: object, path: Path) -> str:
    with pytest.raises(BadKey) as caught:
        read(path)  # type: ignore[operator]
    assert caught.value.facts == {}
    return caught.value.key


def test_both_files_come_back_as_they_were(tmp_path: Path) -> None:
    key = keys.make("东浦区2026")
    keys.write_offline(key, tmp_path / "offline.json")
    keys.write_service(key.digest, tmp_path / "service.json")
    back = keys.read_offline(tmp_path / "offline.json")
    assert (back.digest, back.signer) == (key.digest, key.signer)
    assert keys.read_service(tmp_path / "service.json") == key.digest
    assert keys.make("东浦区2026").digest.secret != key.digest.secret


def test_the_service_s_file_cannot_sign(tmp_path: Path) -> None:
    key = keys.make("东浦区2026")
    keys.write_service(key.digest, tmp_path / "service.json")
    assert "signing" not in json.loads((tmp_path / "service.json").read_text(encoding="utf-8"))
    assert refused(keys.read_offline, tmp_path / "service.json") == "roll_key.other_kind"
    keys.write_offline(key, tmp_path / "offline.json")
    assert refused(keys.read_service, tmp_path / "offline.json") == "roll_key.other_kind"


def test_a_file_is_its_owner_s_alone_and_never_replaced(tmp_path: Path) -> None:
    key = keys.make("东浦区2026")
    path = tmp_path / "service.json"
    keys.write_service(key.digest, path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        keys.write_service(key.digest, path)
    path.chmod(0o640)
    assert refused(keys.read_service, path) == "roll_key.readable"


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", '{"file": "something"}', '{"file": "one-window roll key, service"}',
        '{"file": "one-window roll key, service", "election": "东浦区2026", "key_id": "0", "digest": "AAAA"}',
    ],
)  # fmt: skip
def test_what_is_no_key_file_is_broken(tmp_path: Path, content: str) -> None:
    path = tmp_path / "service.json"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    assert refused(keys.read_service, path) == "roll_key.broken"


@pytest.mark.parametrize("field", ["election", "key_id", "digest"])
def test_a_changed_field_is_noticed_or_makes_another_key(tmp_path: Path, field: str) -> None:
    path = tmp_path / "service.json"
    key = keys.make("东浦区2026").digest
    keys.write_service(key, path)
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields[field] = keys.make("西浦区2026").digest.as_text() if field == "digest" else "西浦区2026"
    path.write_text(json.dumps(fields), encoding="utf-8")
    if field == "election":
        assert keys.read_service(path).identity("林", "1") != key.identity("林", "1")
    else:
        assert refused(keys.read_service, path) == "roll_key.broken"


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    assert refused(keys.read_service, tmp_path / "none") == "roll_key.missing"
    assert refused(keys.read_offline, tmp_path / "none") == "roll_key.missing"


def test_a_holder_sees_a_new_key_and_one_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "service.json"
    holder = KeyHolder(path)
    with pytest.raises(BadKey, match="missing"):
        holder.key()
    first, second = keys.make("东浦区2026").digest, keys.make("东浦区2027").digest
    keys.write_service(first, path)
    assert holder.key() == first
    assert holder.key() is holder.key()
    keys.write_service(second, tmp_path / "second.json")
    (tmp_path / "second.json").replace(path)
    assert holder.key() == second
    path.chmod(0o644)
    with pytest.raises(BadKey, match="readable"):
        holder.key()
    path.chmod(0o600)
    assert holder.key() == second
    path.unlink()
    with pytest.raises(BadKey, match="missing"):
        holder.key()


def test_nothing_of_a_key_is_in_its_repr() -> None:
    key = keys.make("东浦区2026")
    assert key.digest.as_text() not in repr(key)
    assert "signing" not in repr(key)
    assert key.signing.private_bytes_raw().hex() not in repr(key)
    assert len(key.signer) == 64
