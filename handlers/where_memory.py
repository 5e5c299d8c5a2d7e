"""What the wizard remembers beside the answers in its buttons: for wording only, and gone unmissed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiogram.fsm.context import FSMContext

from handlers import where_steps
from knowledge.pack_parts import OTHER, RulePack
from knowledge.tellings import Heard

# More is a story: the summary then keeps to what was recognised in it.
SHORT = 12
NOTHING = Heard({})


@dataclass(frozen=True, slots=True)
class Memory:
    """`guessed`: slots nobody stated. `words`: what was said for `other`. `home`: where the asker lives."""

    guessed: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)
    home: str = ""

    def data(self) -> dict[str, Any]:
        """The memory as it is kept with the state."""
        return {"guessed": sorted(self.guessed), "words": dict(self.words), "home": self.home}


async def kept(
    state: FSMContext | None, pack: RulePack, facts: Mapping[str, str], heard: Heard = NOTHING
) -> Memory:
    """What is remembered once `facts` hold, to which `heard` has just been added.

    Of an answer that was taken back or changed meanwhile nothing is kept.
    """
    held = await state.get_data() if state is not None and facts else {}
    before = where_steps.facts_of(pack, str(held.get("code", ""))) or {}
    same = {slot for slot in facts if before.get(slot) == facts[slot]} - set(heard.facts)
    words = {slot: said for slot, said in held.get("words", {}).items() if slot in same} | {
        slot: said for slot, said in heard.words.items() if facts.get(slot) == OTHER
    }
    guessed = {slot for slot in held.get("guessed", ()) if slot in same} | heard.guessed
    home = heard.homes[0] if heard.homes else str(held.get("home", ""))
    return Memory(frozenset(guessed & set(facts)), words, home)
