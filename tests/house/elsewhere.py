"""Modules without a unit test of their own, each with the test that covers it and why it is not beside the module.

A module that holds no function (settings, errors, types) needs none. A row goes as soon as its module has a test at
``tests/unit/<folder>/test_<module>.py``; a row that covers nothing fails.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from tests.house.imports import imported_paths
from tests.house.tree import Tree, modules, source


@dataclass(frozen=True, slots=True)
class Row:
    """``test`` covers ``modules`` (patterns); without imports between them it runs what it names by ``words``."""

    why: str
    test: str
    modules: tuple[str, ...]
    words: str = ""


_PROCESS: Final = "a command: arguments in, text out, run as a process"
_ROUTES: Final = "routes: SQL and shapes, called under every role, over PostgreSQL"
_CLIP: Final = "a part of reading a clip: every picture and every byte range of whole clips is compared"
_BENCH: Final = "a measurement: a small run of its suite"
_CAMERA: Final = "a part of taking a camera's stream in: recorded and made-up cameras are compared with libav"

ELSEWHERE: Final = (
    Row(
        _ROUTES,
        "tests/integration/api/test_roles.py",
        (
            *("api/app.py", "api/sign_in/desk.py", "api/sign_in/purpose_routes.py", "api/sign_in/purposes.py"),
            *("api/cameras/inventory.py", "api/health/quarantine.py", "api/health/retention.py"),
            *("api/live/walls.py", "api/pages/install.py", "api/pages/routes.py"),
        ),
    ),
    Row(
        "searches and the audit trail: SQL, and what of it is on record",
        "tests/integration/api/test_looks.py",
        (
            *("api/audit/disclos*.py", "api/search/event.py", "api/search/listing.py"),
            *("api/cameras/days.py", "api/search/timeline.py"),
        ),
    ),
    Row(
        "find: words, filters and pages over PostgreSQL, cut to the scope",
        "tests/integration/api/search/test_find.py",
        ("api/search/find.py", "api/search/meaning.py", "api/search/examples.py"),
    ),
    Row(
        "the audit page: SQL, and what an auditor of some cameras sees",
        "tests/integration/api/health/test_metrics.py",
        ("api/audit/trail.py", "api/audit/reading.py", "api/health/metrics.py"),
    ),
    Row(
        "exports: footage, SQL and a second person, from the request to the verified file",
        "tests/integration/api/test_exports.py",
        (
            *("api/export/fetch.py", "api/export/make.py", "api/export/routes.py", "api/export/[dp]*.py"),
            *("api/export/rows.py", "api/cameras/clip.py", "api/cameras/parts.py", "api/footage/opening.py"),
        ),
    ),
    Row(
        "thumbnails: a decoding process over real footage",
        "tests/integration/api/test_thumbnails.py",
        ("api/cameras/thumbnail.py", "api/footage/thumbnail/pictures.py"),
    ),
    Row(
        "live looks over HTTP, with a custodian, the role and PostgreSQL",
        "tests/integration/api/live/test_live.py",
        ("api/live/doors.py", "api/live/room.py", "api/live/routes.py", "custodian/live_looks.py", "live/role.py"),
    ),
    Row(
        "how serve asks: over a socket, against the looks themselves",
        "tests/unit/live/test_looks.py",
        ("live/client.py", "live/settings.py"),
    ),
    Row("signing in: SQL and cookies", "tests/integration/api/test_sign_in.py", ("api/sign_in/routes.py",)),
    Row(
        "accounts: SQL in one transaction with the audit trail",
        "tests/integration/api/test_staff.py",
        (
            *("api/staff/own.py", "api/staff/routes.py", "api/staff/changing.py", "api/credentials/accounts.py"),
            "api/credentials/handover.py",
        ),
    ),
    Row(
        "the role: sockets, TLS and start-up order",
        "tests/integration/api/test_role.py",
        ("api/role.py",),
    ),
    Row(
        _CLIP,
        "tests/unit/api/footage/test_reader.py",
        (
            *("api/footage/assembly.py", "api/footage/flows.py", "api/footage/opened.py", "api/footage/prefetch.py"),
            "api/footage/walk.py",
        ),
    ),
    Row(
        "the custodian behind its socket, over PostgreSQL",
        "tests/integration/custodian/test_custodian.py",
        (
            *("custodian/client.py", "custodian/enrolment.py", "custodian/role.py"),
            *("custodian/keys/hour_keys.py", "custodian/keys/past_keys.py"),
        ),
    ),
    Row(
        "retention in words and numbers: SQL of the command, run with what has expired",
        "tests/integration/custodian/test_retention_command.py",
        (*("pipeline/commands/retention/*.py", "storage/access/retention.py", "custodian/expiry/retention.py"),),
    ),
    Row(
        "expiry: transactions, locks and the keyring, over PostgreSQL, broken off at each step",
        "tests/integration/custodian/test_expiry.py",
        ("custodian/expiry/expire.py",),
    ),
    Row(
        "a changed retention: keys sealed anew, over PostgreSQL and the keyring, broken off at each step",
        "tests/integration/custodian/test_retention_change.py",
        ("custodian/expiry/change.py",),
    ),
    Row(
        "holds: transactions, locks, wraps and the keyring, over PostgreSQL, broken off at each step",
        "tests/integration/custodian/test_holds.py",
        ("custodian/holds/holds.py", "custodian/keys/private_keys.py", "custodian/asking.py"),
    ),
    Row(
        "erasure: PostgreSQL and the keyring",
        "tests/integration/custodian/test_erasure_steps.py",
        ("custodian/erasure/*.py", "custodian/keys/resealing.py"),
    ),
    Row("erasure, with a custodian", "tests/integration/api/erasures/test_erasures.py", ("api/erasures/*.py",)),
    Row(_PROCESS, "tests/integration/pipeline/test_erase_command.py", ("pipeline/commands/erase.py",), words='"erase"'),
    Row("cases, with a custodian", "tests/integration/api/cases/test_cases.py", ("api/cases/*.py",)),
    Row(_ROUTES, "tests/integration/api/recipients/test_recipients.py", ("api/recipients/*.py",)),
    Row(_ROUTES, "tests/integration/api/requests/test_requests.py", ("api/requests/[crs][!t]*.py",)),
    Row(_ROUTES, "tests/integration/api/members/test_routes.py", ("api/members/*.py",)),
    Row(_ROUTES, "tests/integration/api/register/test_register.py", ("api/register/*.py", "storage/register/*.py")),
    Row("its end, with the footage", "tests/integration/api/bookmarks/test_bookmarks.py", ("api/bookmarks/*.py",)),
    Row(
        "commands that ask the API: a served API with a custodian, as two people would",
        "tests/integration/pipeline/test_cases_command.py",
        ("pipeline/commands/asker.py", "pipeline/commands/cases.py"),
        words='tmp_path, "cases"',
    ),
    Row(
        "the keeper: objects and rows, over PostgreSQL and S3, broken off at each step",
        "tests/integration/upkeep/test_keeper.py",
        ("upkeep/keeper/removal.py", "upkeep/keeper/role.py"),
    ),
    Row(
        "periods: what is old enough, and in which order, is SQL",
        "tests/integration/upkeep/test_periods.py",
        ("upkeep/keeper/periods.py",),
    ),
    Row("what is over is SQL", "tests/integration/upkeep/test_journal_over.py", ("upkeep/keeper/journal.py",)),
    Row("a restored database, opened", "tests/integration/upkeep/test_samples.py", ("upkeep/inspection/samples.py",)),
    Row(
        "SQL of the indexer: duplicates, order and quarantine over PostgreSQL",
        "tests/integration/indexer/test_receive.py",
        ("indexer/counters.py", "indexer/events/quarantine.py", "indexer/events/receive.py"),
    ),
    Row(
        "SQL of the indexer: every order of arrival against the interval join",
        "tests/integration/indexer/test_tagger.py",
        ("indexer/tagger.py", "indexer/events/corrections.py"),
    ),
    Row(
        "SQL of the members' list",
        "tests/integration/indexer/test_members_import.py",
        ("indexer/members/importing.py",),
    ),
    Row(
        "the role over a broker, PostgreSQL and a custodian",
        "tests/integration/indexer/test_role.py",
        ("indexer/events/intake.py", "indexer/events/replay.py"),
    ),
    Row(
        "recorded files into the archive, from end to end",
        "tests/integration/ingest/test_import.py",
        ("ingest/importing/*.py", "ingest/recording/staged.py"),
    ),
    Row(
        "each is compared with the other for any bytes",
        "tests/unit/ingest/native/test_library.py",
        ("ingest/native/form.py", "ingest/native/reference.py"),
    ),
    Row(
        "a recorder over store and catalogue in memory: a power cut at any moment",
        "tests/unit/ingest/recording/test_power_cut.py",
        ("ingest/recording/segment.py",),
    ),
    Row(
        "protocols and their errors, as they end a stream",
        "tests/unit/ingest/test_sources.py",
        ("ingest/errors.py",),
    ),
    Row(
        "inits: written here, described by the reader and by libav",
        "tests/unit/storage/mp4/test_boxes.py",
        ("ingest/media/init.py",),
    ),
    Row(
        _CAMERA,
        "tests/unit/ingest/rtsp/test_session.py",
        (
            *("ingest/rtsp/connection.py", "ingest/rtsp/receiver.py", "ingest/rtsp/source.py"),
            "ingest/rtsp/streams.py",
        ),
    ),
    Row(
        _CAMERA,
        "tests/unit/ingest/rtsp/test_recorded_cameras.py",
        ("ingest/video/h265.py",),
    ),
    Row(_CAMERA, "tests/integration/ingest/test_native_demo.py", ("ingest/libav/packets.py",)),
    Row(_CAMERA, "tests/integration/ingest/watched/test_substream.py", ("ingest/watched/substream.py",)),
    Row(_CAMERA, "tests/integration/ingest/test_libav.py", ("ingest/libav/source.py",)),
    Row(
        "records, SQL and a second database in the place of a lost one",
        "tests/integration/upkeep/test_journal.py",
        ("custodian/journal.py", "upkeep/holes.py", "upkeep/inspection/journal.py"),
    ),
    Row(
        "a record that the store refuses keeps its gap in the spool: recorded, with the committer",
        "tests/unit/ingest/recording/test_committer.py",
        ("ingest/recording/footage_records.py",),
    ),
    Row(
        "SQL over a bucket: what is missing, damaged or foreign",
        "tests/integration/upkeep/test_reconcile.py",
        ("upkeep/re*.py", "upkeep/hidden.py", "upkeep/inspection/restore.py", "upkeep/inspection/kept_keys.py"),
    ),
    Row(
        "objects of a bucket against their rows: one flaw of each kind is planted",
        "tests/integration/upkeep/test_verify.py",
        ("upkeep/verify.py", "upkeep/inspection/errors.py"),
    ),
    Row(
        "watching a machine: what each watcher sees, through the observer",
        "tests/unit/alarms/watch/test_observer.py",
        ("alarms/watch/*.py",),
    ),
    Row(
        "SQL: doors' events, of which some windows are taken",
        "tests/integration/indexer/test_pauses.py",
        ("indexer/events/pauses.py",),
    ),
    Row(
        "the role over real status files, a mail server and a webhook",
        "tests/integration/alarms/test_role.py",
        ("alarms/role.py", "alarms/send/*.py"),
    ),
    Row("parts of papers", "tests/unit/paper/test_published.py", ("paper/stated.py", "paper/kinds/[pr]*s.py")),
    Row("its keys", "tests/unit/pipeline/paper/test_stated.py", ("pipeline/config/sections/controller.py",)),
    Row("driver errors need the driver", "tests/integration/runtime/test_database.py", ("runtime/database.py",)),
    Row(
        "the simulated cameras, read by libav",
        "tests/integration/demo/test_rtsp_server.py",
        ("demo/live.py", "demo/rtsp/*.py"),
    ),
    Row("the load generator", "tests/integration/demo/test_load_generator.py", ("demo/loop.py",)),
    Row("the simulated gym", "tests/integration/demo/test_gym.py", ("demo/doors.py", "demo/role.py")),
    Row(
        "processes with arguments: the load of the suites",
        "tests/integration/benchmarks/test_suites.py",
        ("demo/replay.py", "demo/rtsp_server.py"),
        "ingest",
    ),
    Row(
        "services as processes",
        "tests/integration/pipeline/test_embedded_services.py",
        (
            *("pipeline/embedded/broker.py", "pipeline/embedded/postgres.py", "pipeline/embedded/provision.py"),
            "pipeline/embedded/store.py",
        ),
    ),
    Row(
        "everything started by one command",
        "tests/faults/pipeline/test_demo_gym.py",
        (
            *("pipeline/up.py", "pipeline/running.py", "pipeline/demo/*.py"),
            *("pipeline/smoke/run.py", "pipeline/supervise/roles.py", "pipeline/supervise/supervision.py"),
            *("pipeline/smoke/forgetting.py", "pipeline/smoke/holding.py", "pipeline/smoke/live.py"),
        ),
    ),
    Row(
        "each role as a process",
        "tests/faults/pipeline/test_demo_gym.py",
        ("pipeline/role_command.py",),
        "up",
    ),
    Row("decoded clips", "tests/unit/pipeline/smoke/test_expected.py", ("pipeline/smoke/pictures.py",)),
    Row(
        _PROCESS,
        "tests/integration/pipeline/test_door_commands.py",
        ("pipeline/commands/doors/*.py",),
        "members",
    ),
    Row(
        _PROCESS,
        "tests/integration/pipeline/test_import_command.py",
        ("pipeline/commands/*.py", "pipeline/config/imports.py"),
        "verify",
    ),
    Row(
        "a real machine that is lost: backed up, tried in a drill, restored",
        "tests/integration/pipeline/test_restore_command.py",
        ("pipeline/backup/restore.py", "pipeline/commands/backup/[cr]*.py"),
        "restore",
    ),
    Row(
        "the database's files and its log, of a real server",
        "tests/integration/upkeep/backup/test_backup.py",
        ("upkeep/backup/compare.py",),
    ),
    Row(
        _BENCH,
        "tests/integration/benchmarks/test_suites.py",
        (
            "benchmarks/suites/*.py",
            *("benchmarks/frame/role_child.py", "benchmarks/frame/sealing.py", "benchmarks/frame/side.py"),
            *("benchmarks/frame/stand.py", "benchmarks/load/[!d]*.py", "benchmarks/peers/parts.py"),
        ),
    ),
    Row(
        "a program that a suite runs as a process",
        "tests/integration/benchmarks/test_suites.py",
        ("benchmarks/floors/*.py", "benchmarks/probes/*.py", "benchmarks/load/doors.py"),
        "bench",
    ),
    Row("plots of a report", "tests/unit/benchmarks/report/test_write.py", ("benchmarks/report/plots.py",)),
    Row(_PROCESS, "tests/unit/benchmarks/test_cli.py", ("benchmarks/compare_command.py", "benchmarks/run_all.py")),
)


def untested(tree: Tree) -> Iterator[str]:
    """Modules with a function, without a unit test of their own and without a row."""
    for path in _without_test(tree):
        if not any(_covers(row, path) for row in ELSEWHERE):
            yield path


def stale_rows(tree: Tree) -> Iterator[str]:
    """Patterns that no module needs any more, tests that are gone, and tests that never reach their modules."""
    without, graph = list(_without_test(tree)), imported_paths(tree)
    for row in ELSEWHERE:
        if row.test not in tree or row.words not in tree[row.test]:
            yield f"{row.test} is gone, or does not run {row.words!r}"
            continue
        reached = _reached(graph, row.test)
        for pattern in row.modules:
            found = [path for path in without if fnmatchcase(path, pattern)]
            if not found:
                yield f"{pattern}: no module needs this row"
            elif not row.words and (missing := [path for path in found if path not in reached]):
                yield f"{row.test} does not reach {', '.join(missing)}"


def _covers(row: Row, path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in row.modules)


def _without_test(tree: Tree) -> Iterator[str]:
    for path, text in modules(source(tree)):
        place = PurePosixPath(path)
        if str("tests/unit" / place.with_name(f"test_{place.name}")) not in tree and _has_function(text):
            yield path


@cache
def _has_function(text: str) -> bool:
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(ast.parse(text)))


def _reached(graph: Mapping[str, set[str]], test: str) -> frozenset[str]:
    """Everything that a test imports, and what that imports."""
    reached, waiting = {test}, deque([test])
    while waiting:
        for path in graph[waiting.popleft()] - reached:
            reached.add(path)
            waiting.append(path)
    return frozenset(reached)
