"""Wording in every language."""

from __future__ import annotations

import pytest

from office.words import CHINESE, LANGUAGES, catalogue, say


def test_chinese_is_the_source_and_every_key_of_another_language_is_known_there() -> None:
    for language in LANGUAGES:
        assert set(catalogue(language)) <= set(catalogue(CHINESE))


def test_placeholders_are_filled() -> None:
    assert "0000-12345678" in say("gate.abuse", phone="0000-12345678")


def test_without_facts_braces_stay_as_they_are() -> None:
    assert "{phone}" in say("gate.abuse")


def test_a_language_without_the_key_falls_back_to_chinese() -> None:
    assert say("gate.abuse", "xx") == say("gate.abuse")


def test_an_unknown_key_is_an_error_at_once() -> None:
    with pytest.raises(KeyError):
        say("no.such.key")
