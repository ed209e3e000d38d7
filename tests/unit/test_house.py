"""The house stays in order: full folders, import cycles, stale documents and banned words fail here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.house import elsewhere
from tests.house.documents import missing_files
from tests.house.imports import cycles, edges, routes_that_import_routes
from tests.house.measure import files_per_folder, long_functions, modules_without_test
from tests.house.repeats import repeats
from tests.house.text import functions_of, length_of, lines_of, undocumented
from tests.house.tree import ROOT, Tree, source, work_tree
from tests.house.words import EXEMPT, banned_names, banned_phrases, banned_text

FILES_MAX = 15
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
README_LINES_MAX = 40
README_WIDTH_MAX = 150  # outside tables
CHANGELOG_LINES_MAX = 60
DOCUMENTS = [
    ROOT / "ARCHITECTURE.md",
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in ROOT.glob("[a-z]*/**/*.md")),
]


@pytest.fixture(scope="module")
def tree() -> Tree:
    return work_tree()


def test_no_folder_holds_more_than_fifteen_python_files(tree: Tree) -> None:
    assert {folder: files for folder, files in files_per_folder(tree).items() if files > FILES_MAX} == {}


def test_no_module_is_long_tests_included(tree: Tree) -> None:
    assert [path for path, text in tree.items() if text.count("\n") > MODULE_LINES_MAX] == []


def test_no_function_of_the_source_is_long(tree: Tree) -> None:
    assert long_functions(source(tree), FUNCTION_LINES_MAX) == []


def test_folders_import_one_another_without_cycles(tree: Tree) -> None:
    assert cycles(edges(tree)) == []


def test_every_public_function_of_the_source_has_a_docstring(tree: Tree) -> None:
    assert {path: names for path, text in source(tree).items() if (names := undocumented(text))} == {}


def test_no_module_of_routes_imports_another(tree: Tree) -> None:
    assert routes_that_import_routes(tree) == []


def test_every_module_has_its_unit_test_or_a_stated_reason(tree: Tree) -> None:
    assert list(elsewhere.untested(tree)) == []
    assert list(elsewhere.stale_rows(tree)) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    assert list(missing_files(document, ROOT)) == []


def test_readme_of_a_package_fits_a_screen() -> None:
    found = {path.parent.name: path.read_text().splitlines() for path in ROOT.glob("[a-z]*/README.md")}
    assert {package: len(lines) for package, lines in found.items() if len(lines) > README_LINES_MAX} == {}
    wide = [(package, line) for package, lines in found.items() for line in lines if len(line) > README_WIDTH_MAX]
    assert [(package, line) for package, line in wide if not line.startswith("|")] == []


def test_changelog_of_the_unreleased_version_stays_short() -> None:
    assert len((ROOT / "CHANGELOG.md").read_text().splitlines()) <= CHANGELOG_LINES_MAX


def test_no_module_has_a_banned_name(tree: Tree) -> None:
    assert list(banned_names(source(tree))) == []


def test_no_banned_word_stands_in_source_or_documents(tree: Tree) -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in DOCUMENTS}
    assert list(banned_text({**source(tree), **texts})) == []


def test_no_puzzling_phrase_stands_in_source_documents_or_sql(tree: Tree) -> None:
    texts = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in [
            *DOCUMENTS,
            *sorted(ROOT.glob("[a-z]*/**/sql/*.sql")),
            *ROOT.glob("storage/catalogue/migrations/*.sql"),
        ]
        if "tests" not in path.relative_to(ROOT).parts
    }
    assert list(banned_phrases({**source(tree), **texts})) == []
    assert [row for row in EXEMPT if not list(_found_without_exemption(row, tree))] == []


def _found_without_exemption(row: tuple[str, str], tree: Tree) -> list[str]:
    """An exemption whose words are gone is dropped."""
    path, word = row
    return [line for line in tree[path].splitlines() if word in line.lower()]


# -- The measures see what they are for


def test_cycle_between_folders_is_found() -> None:
    tree = {
        "a/x/one.py": "from a.y import two",
        "a/y/two.py": "import a.z.three",
        "a/z/three.py": "from a.x.one import f",
    }
    assert cycles(edges(tree)) == [("a.x", "a.y", "a.z")]
    assert cycles(edges({**tree, "a/z/three.py": ""})) == []


def test_modules_at_a_root_are_nodes_of_their_own() -> None:
    tree = {"a/role.py": "from a.x import one", "a/x/one.py": "from a.errors import E", "a/errors.py": "class E: ..."}
    assert cycles(edges(tree)) == []
    assert cycles(edges({**tree, "a/errors.py": "import a.role"})) == [("a.errors", "a.role", "a.x")]


def test_routes_that_import_routes_are_found() -> None:
    tree = {
        "api/a/routes.py": "router = APIRouter()\nfrom api.b.clip import no_footage",
        "api/b/clip.py": "router = APIRouter()",
        "api/app.py": "from api.a import routes\nfrom api.b import clip",
    }
    assert routes_that_import_routes(tree) == [("api.a.routes", "api.b.clip")]


def test_run_of_six_equal_lines_is_a_repeat_and_five_are_none() -> None:
    run = "\n".join(f"call({number})" for number in range(8))
    found = repeats({"a.py": f"start()\n{run}\nend()", "b.py": f"if x:\n    {run.replace(chr(10), chr(10) + '    ')}"})
    assert [(one.lines, one.first, one.second) for one in found] == [(8, "a.py:2", "b.py:2")]
    assert repeats({"a.py": "\n".join(run.splitlines()[:5]), "b.py": run}) == []


def test_comments_count_without_notes_to_tools() -> None:
    lines = lines_of('"""Doc.\n\nMore.\n"""\nx = 1  # why\n# why not\ny = 2  # noqa: F841\n')
    assert (lines.total, lines.code, lines.comments) == (7, 2, 2)


def test_function_length_counts_the_docstring() -> None:
    ((name, function),) = functions_of(
        'class A:\n    def f(self):\n        """Says.\n\n        More."""\n        return 1\n'
    )
    assert (name, length_of(function)) == ("A.f", 5)
    assert long_functions({"a.py": "def f():\n" + "    x()\n" * 49}, 50) == []
    assert long_functions({"a.py": "def f():\n" + "    x()\n" * 50}, 50) == ["a.py:1: f, 51 lines"]


def test_public_functions_without_docstring_are_found() -> None:
    text = "def f(): ...\ndef _g(): ...\nclass C:\n    def m(self): ...\n    def n(self):\n        'Says.'\n"
    assert undocumented(text) == ["f", "C.m"]


def test_longer_functions_of_private_classes_and_within_functions_need_a_docstring() -> None:
    body = "        x()\n" * 3
    text = f"class _C:\n    def m(self):\n{body}\n    def n(self): ...\n    def _o(self):\n{body}\n"
    assert undocumented(text) == ["_C.m"]
    assert undocumented(f"def _f():\n    def g():\n{body}\n    def h(): ...\n") == ["_f.<locals>.g"]


def test_module_without_test_is_found() -> None:
    tree = {"a/x/one.py": "x = 1", "a/x/two.py": "y = 1", "tests/unit/a/x/test_one.py": ""}
    assert modules_without_test(tree) == ["a/x/two.py"]


def test_module_without_a_reason_a_row_without_a_module_and_a_test_that_does_not_reach_it_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = {
        "a/one.py": "def f(): ...",
        "a/two.py": "def f(): ...",
        "a/plain.py": "X = 1",
        "a/own.py": "def f(): ...",
        "tests/unit/a/test_own.py": "",
        "tests/test_it.py": "from tests.support import x",
        "tests/support.py": "import a.one",
    }
    row = elsewhere.Row("why", "tests/test_it.py", ("a/one.py",))
    monkeypatch.setattr(elsewhere, "ELSEWHERE", (row,))
    assert list(elsewhere.untested(tree)) == ["a/two.py"]
    assert list(elsewhere.stale_rows(tree)) == []
    rows = [
        replace(row, modules=("a/own.py",)),
        replace(row, modules=("a/two.py",)),
        replace(row, test="tests/gone.py"),
    ]
    rows.append(replace(row, words="tallenne up"))
    monkeypatch.setattr(elsewhere, "ELSEWHERE", tuple(rows))
    assert list(elsewhere.stale_rows(tree)) == [
        "a/own.py: no module needs this row",
        "tests/test_it.py does not reach a/two.py",
        "tests/gone.py is gone, or does not run ''",
        "tests/test_it.py is gone, or does not run 'tallenne up'",
    ]


def test_missing_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/here.py").touch()
    document = tmp_path / "a/README.md"
    document.write_text("`here.py`, `a/here.py` and `gone.py` in b/ and a/; run/ is an installation's\n")
    assert list(missing_files(document, tmp_path)) == ["a/README.md:1: gone.py", "a/README.md:1: b/"]


def test_missing_file_in_a_picture_is_found(tmp_path: Path) -> None:
    document = tmp_path / "PICTURE.md"
    document.write_text('```mermaid\nflowchart TD\n    a([a]) -- "sealed: b/gone.py" --> c["key<br>b/lost.py"]\n```\n')
    assert list(missing_files(document, tmp_path)) == ["PICTURE.md:3: b/gone.py", "PICTURE.md:3: b/lost.py"]


def test_puzzling_phrases_are_found() -> None:
    assert list(banned_phrases({"a.py": "# What nobody wants.\n"})) == [
        "a.py:1: the role that acts, or the passive, not nobody"
    ]
    assert list(banned_phrases({"a.py": "_nobody = 1  # the camera reports\n"})) == []


def test_banned_words_are_found() -> None:
    assert list(banned_names({"a/shelf.py": ""})) == ["a/shelf.py: cache, not shelf"]
    assert list(banned_text({"a.py": "\n# A Glance."})) == ["a.py:2: summary, not Glance"]
