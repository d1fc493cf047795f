"""Python, SQL, shell and make: code that pages include from files, run in the surroundings that it has there."""

from __future__ import annotations
import __future__

import ast
import contextlib
import importlib
import io
import re
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

import psycopg2
import pytest_examples.run_code
from pytest_examples import CodeExample

import tools
from tools import ROOT, tested
from tools.expand import Block
from tools.ledger import Proof, Unproved

if TYPE_CHECKING:
    from tools.workbench import Workbench

TEMPLATE = ROOT / "template"
_MOST_NAMED = 3  # tests that fail

# Its own traceback ends the run with INTERNALERROR on Python 3.11, and hides the line of the block on later ones.
pytest_examples.run_code.create_example_traceback = lambda *_: None  # type: ignore[attr-defined]


def python(block: Block, bench: Workbench) -> Proof:
    """Run a snippet with its prints checked, a test by pytest in a project; the template's tests run its functions."""
    file = _file(block)
    if file.name.startswith("test_"):
        return _pytest(block, file, bench)
    if proof := _entered(block, file, bench):
        return proof
    quiet = io.StringIO()
    with (
        bench.python_surroundings(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
    ):
        warnings.simplefilter("error")  # a reader who is warned asks what the page has not said
        try:
            if file.is_relative_to(TEMPLATE):
                _run_inside(block, file)
                return Proof("validated", f"defined inside {file.relative_to(ROOT)}")
            bench.evaluate.run_print_check(_example(block, file), rewrite_assertions=False)
            return Proof("executed", "run by pytest-examples, prints compared")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit and pytest's own outcomes, too: all mean that the block is wrong
            raise Unproved(block, f"{_line(error, block, file)}{type(error).__name__}: {error}") from error


def _entered(block: Block, file: Path, bench: Workbench) -> Proof | None:
    """Look whether the template's tests run the body of what is shown; None if they never enter it, or it has none.

    Raises:
        Unproved: A test that enters it fails, or no test can be run.
    """
    template = tools.ROOT / "template"
    if not any(file.is_relative_to(template / folder) for folder in tested.FOLDERS):
        return None
    name = file.relative_to(template).as_posix()
    lines = [line for origin in block.origins if origin for line in origin[1:]]
    inside = tested.bodies(file.read_text("utf-8"), lines[0], lines[-1])
    if not inside:
        return None
    if bench.stage.tested.broken:
        raise Unproved(block, f"the template's tests cannot be run; try `make test` there\n{bench.stage.tested.broken}")
    if wrong := bench.stage.tested.failed_in(name, inside):
        named = "\n".join(wrong[:_MOST_NAMED]) + ("\n..." if len(wrong) > _MOST_NAMED else "")
        raise Unproved(block, f"tests of the template enter it and fail; `make test` there shows them\n{named}")
    run, there = bench.stage.tested.count(name, inside)
    return Proof("executed", f"run by the template's tests, {run} of {there} lines") if run else None


def _run_inside(block: Block, file: Path) -> None:
    """Run the shown lines, and no others, with the names of the module that they were cut from."""
    assert block.origins[0] is not None
    text = "\n" * (block.origins[0][1] - 1) + block.source  # errors then name the lines of the file
    later = "\nfrom __future__ import annotations\n" in file.read_text("utf-8")
    flags = __future__.annotations.compiler_flag if later else 0
    exec(compile(text, str(file), "exec", flags, dont_inherit=True), dict(vars(_module(file))))  # noqa: S102


def _line(error: BaseException, block: Block, file: Path) -> str:
    """Say at which line of its file a block fails, if it does so while it runs or is compiled."""
    assert block.origins[0] is not None
    above = 0 if file.is_relative_to(TEMPLATE) else block.origins[0][1] - 1  # pytest-examples runs a file of its own
    written = file.name if file.is_relative_to(TEMPLATE) else f"{_example(block, file).module_name}.py"
    if isinstance(error, SyntaxError) and (error.filename or "").endswith(written):
        return f"line {above + (error.lineno or 1)} of {file.name}: "
    rows = [f.lineno or 1 for f in traceback.extract_tb(error.__traceback__) if f.filename.endswith(written)]
    return f"line {above + rows[-1]} of {file.name}: " if rows else ""


def _file(block: Block) -> Path:
    if block.file is None:
        raise Unproved(block, f"{block.lang} is typed in the page; put it into snippets/ or template/ and include it")
    return block.file


def _whole(block: Block, file: Path) -> bool:
    return file.read_text("utf-8").strip("\n") == block.source


def _example(block: Block, file: Path) -> CodeExample:
    assert block.origins[0] is not None
    first = block.origins[0][1]
    text = file.read_text("utf-8")
    return CodeExample(
        source=block.source + "\n",
        path=file,
        start_line=first - 1,
        end_line=first + len(block.origins),
        start_index=0,
        end_index=len(text),
        prefix="python",
        indent=0,
        group=uuid5(NAMESPACE_URL, str(file)),
    )


def _module(file: Path) -> ModuleType:
    """Import the module that a symbol was cut from, by the name that its neighbours use."""
    inside = file.relative_to(TEMPLATE).with_suffix("")
    dotted = ".".join(inside.parts) if inside.parts[0] == "kit" else inside.name
    return importlib.import_module(dotted)


def _pytest(block: Block, file: Path, bench: Workbench) -> Proof:
    """Run the test file, or the one test that is shown, in a project made from the archive."""
    place = bench.project / "test" / file.name
    if file.is_relative_to(TEMPLATE):
        place = bench.project / file.relative_to(TEMPLATE)
    else:
        shutil.copyfile(file, place)
    names = [n.name for n in ast.parse(block.source).body if isinstance(n, ast.FunctionDef)]
    tests = [n for n in names if n.startswith("test_")] if not _whole(block, file) else []
    targets = [f"{place}::{name}" for name in tests] or [str(place)]
    done = subprocess.run(
        [bench.project_python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *targets],
        cwd=bench.project,
        env=bench.environment | {"DATABASE_URL": bench.server_url},  # each test makes a database of its own there
        capture_output=True,
        text=True,
        check=False,
    )
    ends = done.stdout.strip().rpartition("\n")[2]
    if not done.returncode and not re.fullmatch(r"\d+ passed in .*", ends):  # nothing skipped, nothing left out
        raise Unproved(block, f"pytest {file.name} does not run all of it: {ends}")
    if done.returncode:
        raise Unproved(block, f"pytest {file.name} fails\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return Proof("executed", "run by pytest in a project made from the archive")


def sql(block: Block, bench: Workbench) -> Proof:
    """A migration goes up, down and up again on a fresh database; other SQL runs on a migrated one."""
    file = _file(block)
    if block.source.startswith("-- migrate:up"):
        bench.migrate_up_down_up(block, file)
        return Proof("executed", "up, down and up again on a fresh PostgreSQL")
    connection = psycopg2.connect(bench.database_url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(block.source)
    except psycopg2.Error as error:
        raise Unproved(block, f"PostgreSQL refuses it: {error}") from None
    finally:
        connection.close()
    return Proof("executed", "run on a migrated PostgreSQL")


def shell(block: Block, bench: Workbench) -> Proof:
    """A script must be whole and clean under ShellCheck; the tests of the template run it."""
    file = _file(block)
    if not _whole(block, file):
        raise Unproved(block, "a part of a script; include it whole")
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, "-s", "sh", file], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unproved(block, f"ShellCheck finds\n{done.stdout}")
    return Proof("validated", "clean under ShellCheck")


def makefile(block: Block, bench: Workbench) -> Proof:
    """Each shown target must be one that make can plan."""
    _file(block)
    targets = [row.split(":")[0] for row in block.source.splitlines() if row[:1].isalpha() and ":" in row]
    done = subprocess.run(
        ["make", "--dry-run", *targets], cwd=bench.project, env=bench.environment, capture_output=True, text=True
    )
    if done.returncode:
        raise Unproved(block, f"make {' '.join(targets)}: {done.stderr}")
    return Proof("validated", "make plans the target")
