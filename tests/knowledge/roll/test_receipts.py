"""Receipt codes: read however they are typed, every single slip noticed, no two alike in a roll."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from knowledge.roll import receipt_rows
from knowledge.roll.keys import OfflineKey, make
from knowledge.roll.receipt_rows import Codes
from knowledge.roll.receipts import ALPHABET, LENGTH, read_code, written
from office.errors import Invalid
from tests.voters import CAST, code, voter

SECRET = bytes(range(32))


def mistyped(text: str) -> bool:
    try:
        read_code(text)
    except Invalid as error:
        return error.key == "receipt.mistyped" and not error.facts
    return False


def test_a_code_is_read_as_itself_and_as_it_is_printed() -> None:
    for n in range(300):
        fresh = voter(n).receipt
        assert len(fresh) == LENGTH
        assert read_code(fresh) == fresh
        assert read_code(written(fresh)) == fresh
        assert read_code(f" {written(fresh).lower()}　") == fresh


def test_every_wrong_symbol_is_noticed() -> None:
    for seed in ("ZZTEST", "AB3K9", "7777"):
        right = code(seed)
        for place in range(LENGTH):
            for symbol in ALPHABET:
                if symbol != right[place]:
                    assert mistyped(right[:place] + symbol + right[place + 1 :])


def test_most_swapped_neighbours_are_noticed() -> None:
    chance = random.Random(7)
    tried = found = 0
    for _ in range(200):
        right = code("".join(chance.choice(ALPHABET) for _ in range(9)))
        for place in range(LENGTH - 1):
            if right[place] != right[place + 1]:
                tried += 1
                found += mistyped(right[:place] + right[place + 1] + right[place] + right[place + 2 :])
    assert found > 0.95 * tried


def test_symbols_that_look_alike_are_read_as_meant() -> None:
    assert not set("01IO") & set(ALPHABET)
    right = code("QL2QL")
    assert read_code(right.replace("Q", "0").replace("L", "1")) == right
    assert read_code(right.replace("Q", "o").replace("L", "i")) == right
    assert read_code(right.translate({ord(c): ord(c) + 0xFEE0 for c in ALPHABET})) == right


@pytest.mark.parametrize(
    "text", ["", "ABC", CAST[0].receipt + "2", CAST[0].receipt[:-1], "林䶮" * 5, "!" * 10]
)
def test_what_cannot_be_a_code_is_mistyped(text: str) -> None:
    assert mistyped(text)


# --- a whole roll's ---


def persons(count: int) -> np.ndarray[Any, Any]:
    return np.frombuffer(b"".join(n.to_bytes(16, "big") for n in range(count)), np.uint8).reshape(-1, 16)


def test_the_codes_of_a_roll_are_codes_and_follow_from_the_person() -> None:
    codes = Codes("东浦区2026", SECRET)
    made = [receipt_rows.text(value) for value in codes.values(persons(5_000)).tolist()]
    assert all(read_code(one) == one for one in made)
    assert len(set(made)) == len(made)
    assert codes.values(persons(9)[::-1]).tolist() == codes.values(persons(9)).tolist()[::-1]
    assert codes.values(persons(0)).tolist() == []


def test_a_code_can_be_had_again_and_only_with_the_offline_key() -> None:
    key, other = make("东浦区2026"), make("东浦区2026")
    secret = receipt_rows.secret_of(key)
    assert secret == receipt_rows.secret_of(key) != receipt_rows.secret_of(other)
    assert secret not in (key.digest.secret, key.signing.private_bytes_raw())
    # What the service holds is not enough, whatever the signing half of another key.
    assert receipt_rows.secret_of(OfflineKey(key.digest, other.signing)) != secret
    found = Codes("东浦区2026", secret).values(persons(50)).tolist()
    others = Codes("东浦区2026", receipt_rows.secret_of(other))
    assert not set(found) & set(others.values(persons(50)).tolist())
    assert not set(found) & set(Codes("西浦区2026", secret).values(persons(50)).tolist())


def test_codes_of_a_roll_have_nothing_in_common() -> None:
    made = [receipt_rows.text(value) for value in Codes("东浦区2026", SECRET).values(persons(3_200)).tolist()]
    for place in range(LENGTH):
        symbols = [one[place] for one in made]
        assert max(map(symbols.count, ALPHABET)) < 160, "each about a hundred times"
