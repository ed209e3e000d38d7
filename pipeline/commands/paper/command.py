"""`tallenne paper`: makes papers from the configuration, publishes them, and names what no longer holds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from paper.content import Kind
from paper.language import LANGUAGES
from paper.make import make
from paper.published import Difference, Published, differences
from pipeline.commands.common import add_place, place_of
from pipeline.commands.paper import breach
from pipeline.commands.paper.output import add_output, date_in, write
from pipeline.exit_codes import FAILED, OK
from pipeline.output import say
from pipeline.paper.record import all_papers, read_record, write_record
from pipeline.paper.stated import facts_of

_HELP: Final = {
    Kind.NOTICE: "the privacy notice (GDPR 13 and 14)",
    Kind.SIGN: "the sign at the door, a page for each site",
    Kind.RECORD: "the record of processing (GDPR 30)",
    Kind.RETENTION: "the retention table",
    Kind.BALANCING: "the balancing test of each camera, with room for what only the operator can say",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    for kind, text in _HELP.items():
        one = actions.add_parser(kind, help=text)
        one.set_defaults(paper=_make)
        add_output(one)
        add_place(one)
    breach.add(actions.add_parser("breach", help="what was exposed, of which members, and who looked (GDPR 33, 34)"))
    publish = actions.add_parser("publish", help="record every paper, in both languages, as published now")
    publish.set_defaults(paper=_publish)
    check = actions.add_parser(
        "check", help="exit 1 when what was published no longer says what the configuration does; name where"
    )
    check.set_defaults(paper=_check)
    for each in (publish, check):
        each.add_argument("--json", action="store_true", help="for scripts")
        add_place(each)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    code: int = arguments.paper(arguments)
    return code


def _make(arguments: argparse.Namespace) -> int:
    loaded, _ = place_of(arguments)
    write(make(Kind(arguments.action), facts_of(loaded), arguments.language), arguments)
    return OK


def _publish(arguments: argparse.Namespace) -> int:
    loaded, installation = place_of(arguments)
    papers = all_papers(facts_of(loaded))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    installation.prepare()
    write_record(installation.papers, papers, at, {language: date_in(language, at) for language in LANGUAGES})
    published = read_record(installation.papers)
    if arguments.json:
        said = [{"paper": one.kind, "language": one.language, "sha256": one.sha256} for one in published]
        say(json.dumps({"at": at, "papers": said}))
    else:
        for one in published:
            say(f"{one.kind} ({one.language}): published {at}, SHA-256 {one.sha256}")
    return OK


def _check(arguments: argparse.Namespace) -> int:
    loaded, installation = place_of(arguments)
    papers, published = all_papers(facts_of(loaded)), read_record(installation.papers)
    found = differences(published, papers)
    if arguments.json:
        said = [{("paper" if key == "kind" else key): value for key, value in asdict(one).items()} for one in found]
        say(json.dumps({"ok": not found, "published": bool(published), "differences": said}))
    else:
        say("\n".join(_words(published, found)))
    return FAILED if found else OK


def _words(published: Sequence[Published], found: Sequence[Difference]) -> list[str]:
    if not published:
        return ["No paper was published yet: tallenne paper publish."]
    if not found:
        return [f"The {len(published)} published papers say what the configuration does."]
    lines = ["Published papers no longer say what the configuration does:"]
    for one in found:
        lines.append(f"{one.kind} ({one.language}), section {one.section} ({one.title}):")
        lines += [f"  - {line}" for line in one.gone]
        lines += [f"  + {line}" for line in one.new]
    return [*lines, "Look at the papers, hang up and hand out the new ones, then: tallenne paper publish"]
