"""The words people use and what they mean: dialect, typos, fillers, opposites."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words people use and what they mean; built from `data/lexicon.yaml` with `from_data`."""

    words: Mapping[str, str]
    particles: Mapping[str, str]
    start: tuple[str, ...]
    end: tuple[str, ...]
    opposites: tuple[tuple[tuple[str, int], ...], ...]
    """Per pair of opposites its words, longest first, each with the number of its class."""
    facts: frozenset[str]
    neutral: tuple[str, ...]
    foreign: Mapping[str, tuple[str, ...]]
    """Matters of other offices, by first character."""
    by_first: Mapping[str, tuple[str, ...]]
    narrow: frozenset[str] = frozenset()
    """Words that mean what they mean only to a base that speaks of it: place names."""

    def spoken_by(self, texts: Iterable[str]) -> "Lexicon":
        """This lexicon without the narrow words whose meaning never comes up in a base's texts."""
        whole = "\n".join(texts)
        gone = {word for word in self.narrow if self.words[word] not in whole}
        if not gone:
            return self
        words = {word: meant for word, meant in self.words.items() if word not in gone}
        return replace(self, words=words, by_first=_by_first(words), narrow=self.narrow - gone)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Lexicon":
        """Build from the parsed YAML; every section may be missing. `{}` gives an empty lexicon.

        Raises ValueError when a word is listed twice with different meanings.
        """
        words: dict[str, str] = {}
        narrow: set[str] = set()
        for group in data.get("groups") or []:
            for said, meant in (group.get("words") or {}).items():
                said, meant = str(said).casefold(), str(meant or "")
                if group.get("narrow"):
                    narrow.add(said)
                if words.setdefault(said, meant) != meant:
                    raise ValueError(f"{said}: {words[said]} / {meant}")
        fillers = data.get("fillers") or {}
        return cls(
            words=words,
            particles=dict((data.get("particles") or {}).get("words") or {}),
            start=longest_first(fillers.get("start") or []),
            end=longest_first(fillers.get("end") or []),
            opposites=tuple(
                tuple(
                    sorted(
                        ((str(word), place) for place, words in enumerate(pair["classes"]) for word in words),
                        key=lambda held: (-len(held[0]), held),
                    )
                )
                for pair in data.get("opposites") or []
            ),
            facts=frozenset(data.get("facts") or []),
            neutral=longest_first(data.get("neutral") or []),
            foreign=_by_first(data.get("foreign") or []),
            by_first=_by_first(words),
            narrow=frozenset(narrow),
        )


def longest_first(words: Iterable[str]) -> tuple[str, ...]:
    """Distinct words, lower case, longest first: the order in which a scan must try them."""
    return tuple(sorted({str(w).casefold() for w in words}, key=lambda w: (-len(w), w)))


def _by_first(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    first: dict[str, list[str]] = {}
    for word in longest_first(words):
        first.setdefault(word[0], []).append(word)
    return {char: tuple(found) for char, found in first.items()}
