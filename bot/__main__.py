"""The command line: `python3 manage.py COMMAND`. Heavy parts are imported by the command that needs them."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from pathlib import Path

from bot import roll_options


def main() -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="manage.py", description="One Window 一窗")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="start web chat, console and worker")
    run.add_argument("--port", type=int, help="port to listen on (default 8000)")
    run.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    run.add_argument("--data", metavar="DIR", help="folder for database and keys (default var)")

    commands.add_parser("doctor", help="check the configuration and say what is missing")

    evaluate = commands.add_parser("evaluate", help="score labelled questions against the base")
    evaluate.add_argument("questions", type=Path, nargs="?", metavar="QUESTIONS.jsonl")
    evaluate.add_argument("--entries", type=Path, metavar="ENTRIES.jsonl")
    evaluate.add_argument("--json", action="store_true", help="print the figures as JSON")
    evaluate.add_argument("--details", type=Path, metavar="FILE", help="write one line a question")
    evaluate.add_argument(
        "--report", type=Path, metavar="FILE", help="write the accuracy report of the shipped base"
    )

    bench = commands.add_parser("bench", help="show speed as ratios in one run")
    bench.add_argument("names", nargs="*", metavar="NAME")
    bench.add_argument("--json", action="store_true")
    bench.add_argument("--entries", type=Path, metavar="ENTRIES.jsonl", help="match: quality on these")
    bench.add_argument("--questions", type=Path, metavar="QUESTIONS.jsonl")

    audit = commands.add_parser("audit", help="check the chain of the audit")
    audit.add_argument("act", choices=["verify"])

    base = commands.add_parser("base", help="load entries from files, or export them")
    base.add_argument("act", choices=["load", "export"])
    base.add_argument("folder", type=Path, nargs="?")

    export = commands.add_parser(
        "export", help="write everything governed as files: entries, rules, calendar ..."
    )
    export.add_argument("folder", type=Path, metavar="FOLDER")

    check = commands.add_parser("verify-export", help="say whether an exported file is unchanged")
    check.add_argument("file", type=Path, metavar="FILE")

    back = commands.add_parser("import", help="show what such files say otherwise, and propose it")
    back.add_argument("folder", type=Path, metavar="FOLDER")
    back.add_argument("--propose", metavar="ACCOUNT", help="propose the differences, acting as this account")
    back.add_argument("--basis", default="", help="the paper that hours and stations rest on")

    commands.add_parser("learn", help="train the matcher on this base now, and try the result")

    model = commands.add_parser("model", help="list the matcher's models, or go back to one")
    model.add_argument("act", choices=["list", "activate"])
    model.add_argument("which", nargs="?", metavar="NUMBER|shipped")

    dates = commands.add_parser("dates", help="compute the days of an election by a region's rules")
    dates.add_argument("--pack", default="shanghai", metavar="REGION")
    dates.add_argument("--election-day", required=True, metavar="YYYY-MM-DD")
    dates.add_argument("--posted", metavar="YYYY-MM-DD", help="the day on which the voter list was posted")
    dates.add_argument("--json", action="store_true", help="print key and day as JSON")

    where = commands.add_parser("where", help="decide by a region's rules where a described case registers")
    where.add_argument("--pack", default="shanghai", metavar="REGION")
    where.add_argument("--facts", default="{}", metavar="JSON", help='slots and options: {"hukou": "local"}')
    where.add_argument("--text", default="", help="the case in a voter's own words; the facts given win")
    where.add_argument("--json", action="store_true", help="print leaf, ticket, topic and basis as JSON")

    roll_options.add(commands)

    given = parser.parse_args()
    if given.command == "run":
        # Settings read the environment; the command line wins over it.
        for name in ("port", "host", "data"):
            if (value := getattr(given, name)) is not None:
                os.environ["DATA_DIR" if name == "data" else name.upper()] = str(value)
    if given.command == "bench":
        from benchmarks import bench as benches

        return benches.main(given.names, as_json=given.json, entries=given.entries, questions=given.questions)
    if given.command == "roll":
        return roll_options.run(given)
    if given.command == "where":
        from bot import where as cases

        return cases.run(given.pack, given.facts, given.text, as_json=given.json)
    if given.command == "dates":
        from bot import dates as days

        return days.run(given.pack, given.election_day, given.posted, as_json=given.json)
    if given.command == "run":
        # Nearly all that a start makes stays: collections are put off until it is done (`app.application`).
        gc.disable()
        from bot import serve

        return asyncio.run(serve.run())
    if given.command == "verify-export":
        from bot import export_check

        return export_check.run(given.file)
    if given.command in ("export", "import"):
        from bot import files

        if given.command == "export":
            return asyncio.run(files.export(given.folder))
        return asyncio.run(files.read_back(given.folder, given.propose, given.basis))
    from bot import commands as acts

    match given.command:
        case "doctor":
            return asyncio.run(acts.doctor())
        case "evaluate":
            return asyncio.run(
                acts.evaluate(
                    given.questions,
                    given.entries,
                    as_json=given.json,
                    details=given.details,
                    report_to=given.report,
                )
            )
        case "learn":
            return asyncio.run(acts.learn())
        case "model":
            return asyncio.run(acts.model(given.act, given.which))
        case "audit":
            return asyncio.run(acts.verify_audit())
        case _:
            return asyncio.run(acts.base(given.act, given.folder))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before the server took over, for example while loading
        sys.exit(130)
