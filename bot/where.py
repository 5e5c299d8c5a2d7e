"""`manage.py where`: which row of a region's table decides a case, for a script or to read."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from knowledge import eligibility, packs, wizard
from knowledge.eligibility import BadFacts, Verdict
from knowledge.packs import BadPack, RulePack
from office import words

WRONG = 2


def run(pack_id: str, facts_json: str, text: str, *, as_json: bool) -> int:
    """Decide one case; returns the exit status, 2 for a pack, slot, option or JSON that is not known.

    `text` is the case in a voter's words; what `facts_json` states wins over it.
    """
    if pack_id not in packs.names():
        return _wrong(f"没有规则包 {pack_id}，有 {'、'.join(packs.names())} (no such rule pack)")
    try:
        stated = json.loads(facts_json)
    except json.JSONDecodeError as error:
        return _wrong(f"--facts 不是 JSON (not JSON): {error}")
    if not isinstance(stated, dict):
        return _wrong("--facts 应当是一组“问题: 选项” (should be an object of slots and options)")
    try:
        pack = packs.load(pack_id)
        facts = _read_from(pack, text) | eligibility.check(pack, stated)
    except BadFacts as error:
        return _wrong(f"{words.say(error.key, **error.facts)} ({words.say(error.key, 'en', **error.facts)})")
    except BadPack as error:
        return _wrong(str(error))
    verdict = eligibility.decide(pack, facts)
    if as_json:
        print(json.dumps(_figures(pack, facts, verdict), ensure_ascii=False))
    else:
        print("\n".join(_page(pack, facts, verdict)))
    return 0


def _read_from(pack: RulePack, text: str) -> dict[str, str]:
    if not text:
        return {}
    # Reading words needs the dictionaries of the languages; deciding facts does not wait for them.
    from knowledge import statements

    return statements.read(pack, text)


def _figures(pack: RulePack, facts: Mapping[str, str], verdict: Verdict | None) -> dict[str, object]:
    if verdict is None:
        slot = eligibility.next_slot(pack, facts)
        return {"leaf": None, "ticket": False, "topic": None, "basis": "", "ask": slot.code if slot else None}
    leaf = verdict.leaf
    return {"leaf": leaf.code, "ticket": leaf.ticket, "topic": leaf.topic,
            "basis": "；".join(citation.short for citation in leaf.basis)}  # fmt: skip


def _page(pack: RulePack, facts: Mapping[str, str], verdict: Verdict | None) -> list[str]:
    lines = [f"{pack.name} 第{pack.version}版，{pack.effective_from} 起施行"]
    if said := wizard.summary(pack, facts):
        lines.append(f"您的情况：{'，'.join(said)}。")
    if verdict is None:
        slot = eligibility.next_slot(pack, facts)
        if slot is not None:
            lines += ["", f"还要问：{slot.ask}（{slot.code}）"]
            lines += [f"  {option.label}（{option.code}）" for option in slot.options]
        return lines
    leaf = verdict.leaf
    lines += ["", leaf.answer]
    lines += [f"{place}. {step}" for place, step in enumerate(leaf.steps, start=1)]
    if leaf.bring:
        lines.append(f"要带：{'；'.join(leaf.bring)}")
    if leaf.basis:
        lines.append(f"依据：{'；'.join(citation.long for citation in leaf.basis)}")
    lines.append(f"{leaf.code} · {leaf.topic} · {leaf.group}{' · 转人工' if leaf.ticket else ''}")
    return lines


def _wrong(line: str) -> int:
    print(line, file=sys.stderr)
    return WRONG
