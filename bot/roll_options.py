"""What `python3 manage.py roll` may be told; heavy parts are imported by the act that needs them."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any, Final

BUILDING: Final = ("key", "sample", "build")
"""The acts of the offline machine."""


def add(commands: Any) -> None:
    """Add `roll` with all its acts to the commands."""
    roll = commands.add_parser("roll", help="check a roll, make a package of it, carry it in")
    acts = roll.add_subparsers(dest="act", required=True)
    add_building(acts)
    add_carrying(acts)


def run(given: argparse.Namespace) -> int:
    """Run the act of `roll` that was given; returns the exit status."""
    return run_building(given) if given.act in BUILDING else run_carrying(given)


def add_building(acts: Any) -> None:
    """Add the acts of the offline machine to the subparsers of `roll`."""
    key = acts.add_parser("key", help="make the keys of an election: one stays offline, one is carried over")
    key.add_argument("--election", required=True, metavar="NAME", help="for example 东浦区2026")
    key.add_argument("-o", dest="offline", type=Path, required=True, metavar="OFFLINE.key")
    key.add_argument("--service", type=Path, required=True, metavar="SERVICE.key")

    sample = acts.add_parser("sample", help="write invented voters, or show three of the demo's")
    what = sample.add_mutually_exclusive_group(required=True)
    what.add_argument("file", type=Path, nargs="?", metavar="FILE.csv|.xlsx")
    what.add_argument("--show", type=int, metavar="N")
    sample.add_argument("--rows", type=int, default=20_000, metavar="N")
    sample.add_argument("--pack", default="riverside", metavar="MAP")
    sample.add_argument("--force", action="store_true", help="replace the file")

    build = acts.add_parser("build", help="check a platform's file and make a signed package of digests")
    build.add_argument("file", type=Path, metavar="FILE")
    build.add_argument("--pack", required=True, metavar="MAP", help="name of a column map, or a .yaml file")
    build.add_argument("--key", type=Path, required=True, metavar="OFFLINE.key")
    build.add_argument("-o", dest="package", type=Path, required=True, metavar="PACKAGE")
    build.add_argument("--units", type=Path, metavar="FILE.yaml", help="units known, in place of the map's")
    build.add_argument("--report", type=Path, metavar="FILE.xlsx", help="default: beside the package")
    build.add_argument("--receipts", type=Path, metavar="FILE.xlsx", help="print list of receipt codes")
    build.add_argument("--suppress", type=Path, metavar="FILE", help="protected persons: names and numbers")
    build.add_argument("--canaries", type=int, default=0, metavar="N", help="add N rows of nobody")
    build.add_argument("--canary-list", type=Path, metavar="FILE.csv", help="where to write who they are")
    build.add_argument("--election-day", default="", metavar="YYYY-MM-DD", help="finds those under eighteen")
    build.add_argument("--totals", type=Path, metavar="FILE.yaml", help="the sums to compare with")
    build.add_argument("--force", action="store_true", help="replace files that are there")


def run_building(given: argparse.Namespace) -> int:
    """Run one of the acts in `BUILDING`; returns the exit status."""
    from bot import roll, roll_sample

    match given.act:
        case "key":
            return roll.make_keys(given.election, given.offline, given.service)
        case "sample" if given.show is not None:
            return roll_sample.show_sample(given.show)
        case "sample":
            return roll_sample.write_sample(given.file, given.pack, given.rows, force=given.force)
        case _:
            fields = {name: value for name, value in vars(given).items() if name not in ("command", "act")}
            return roll.build_package(roll.Order(**fields))


def add_carrying(acts: Any) -> None:
    """Add the acts by which a package is carried in to the subparsers of `roll`."""

    def act(name: str, words: str, *, account: bool = True) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = acts.add_parser(name, help=words)
        if account:
            parser.add_argument("--as", dest="account", required=True, metavar="ACCOUNT", help="who acts")
        return parser

    taken = act("import", "prepare a package: check it and show what it would change")
    taken.add_argument("package", type=Path, metavar="PACKAGE")
    for name, words in (
        ("apply", "put a prepared package in force, as another person"),
        ("drop", "give up a package that is not in force"),
        ("compare", "show anew what a prepared package would change"),
    ):
        act(name, words).add_argument("number", type=int, metavar="NUMBER")
    act("back", "take the roll in force out: the one before it is asked again").add_argument(
        "--why", required=True, metavar="TEXT"
    )
    act("list", "list what was carried in", account=False)


def run_carrying(given: argparse.Namespace) -> int:
    """Run one of the acts that carry a package in, named by `given.act`; returns the exit status."""
    from bot import roll_imports

    match given.act:
        case "import":
            return asyncio.run(roll_imports.carry_in(given.package, given.account))
        case "apply":
            return asyncio.run(roll_imports.apply(given.number, given.account))
        case "drop":
            return asyncio.run(roll_imports.drop(given.number, given.account))
        case "compare":
            return asyncio.run(roll_imports.compare(given.number, given.account))
        case "back":
            return asyncio.run(roll_imports.back(given.account, given.why))
        case _:
            return asyncio.run(roll_imports.show())
