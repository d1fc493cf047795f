"""Add an example to a project: the rule, as a function from files to changes.

Standard library only, because `create-project.sh` uses it before anything is installed. The download page follows the
same rule in the browser and gives the same bytes; so it is kept simple. Paths are relative to the project, with `/`.

1. Which names: `examples/example_NAME.py` makes NAME an example; a name is lower-case letters and digits. Several are
   added in the order of `NAMES`, others after them in the order of the alphabet, each once.
2. What moves, unchanged, to the folder on the right (`_MORE` is `_` and letters, digits or `_`, or nothing at all):

       examples/example_NAME_MORE.py                          src/
       examples/test/test_example_NAME_MORE.py                test/
       examples/migrates/DIGITS_example_NAME_MORE.sql         migrates/

3. What is appended: `examples/requirements/NAME.in` to `requirements.in`, `NAME.txt` to `src/requirements.txt`. Such
   a file consists of blocks: a line that begins with a letter or a digit, with the lines below it that begin with a
   blank. Everything else, such as comments, is left out. A block's package is the beginning of its line as long as
   there are letters, digits, `.`, `_` and `-`, in lower case, with each run of `.`, `_` and `-` written as one `-`.
   Blocks whose package the target did not have are appended in their order, each ended by a line end; a target that
   does not end with a line end gets one before. A target that does not exist counts as empty.
4. What is removed: everything that was moved or appended, unless it comes from another library than the project's own.
5. What is refused: a name that is no example, an example that is in `src/` already, and a target of step 2 that exists
   with another content. Nothing is changed then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kit.errors import KitError

# What the rule looks at: folders of a project, and files.
PLACES = ("src", "test", "migrates", "examples", "requirements.in", "dev-requirements.txt")
NAMES = ("crud", "webhook", "scheduler", "quota", "storage", "users")

Files = Mapping[str, bytes]
Changes = dict[str, bytes | None]  # by path: the new content, or None for a file that is removed

_MODULE = re.compile(r"(examples|src)/example_([a-z0-9]+)\.py")
_MORE = "(?:_[A-Za-z0-9_]+)?"
_MOVES = {
    f"examples/(example_NAME{_MORE}\\.py)": "src",
    f"examples/test/(test_example_NAME{_MORE}\\.py)": "test",
    f"examples/migrates/([0-9]+_example_NAME{_MORE}\\.sql)": "migrates",
}
_APPENDED = {"in": "requirements.in", "txt": "src/requirements.txt"}


def examples(files: Files, folder: str = "examples") -> list[str]:
    """Return the names of the examples in `examples`, or of those in `src`, in their order."""
    found = (_MODULE.fullmatch(path) for path in files)
    return in_order(match[2] for match in found if match and match[1] == folder)


def in_order(names: Iterable[str]) -> list[str]:
    """Return each name once, the template's in their own order, others by the alphabet after them."""
    return sorted(set(names), key=lambda name: (NAMES.index(name) if name in NAMES else len(NAMES), name))


def owner(path: str) -> str | None:
    """Return the name of the example that a file of `examples/` belongs to, or None."""
    for pattern in (*_MOVES, "examples/requirements/(NAME.(?:in|txt))"):
        if found := re.fullmatch(pattern.replace("NAME", "(?P<name>[a-z0-9]+)"), path):
            return found["name"]
    return None


def adopt(project: Files, names: Iterable[str], library: Files | None = None) -> Changes:
    """Return what adding examples changes, in the order in which it is safe to do.

    A module `example_NAME.py` is the last to come and the last to go. So whoever was stopped in the middle can do the
    same again.

    Args:
        project: the project's files; those outside of the folders above do not matter.
        names: of the examples.
        library: the files of another project or of the template, whose `examples/` are copied; by default the
            project's own, which are moved.

    Raises:
        KitError: as step 5 says, with the names that exist or the file that is in the way.
    """
    source = project if library is None else library
    written: dict[str, bytes] = {}
    removed: list[str] = []
    for name in in_order(names):
        _refuse(name, project, source)
        moves = _moves(name, source)
        for path, target in moves.items():
            if project.get(target, source[path]) != source[path]:
                raise KitError(f"{target} exists and is another file; move it away or rename it, then add {name} again")
        appended = {path: target for path, target in _requirements(name).items() if path in source}
        *others, module = moves.items()
        for path, target in appended.items():
            before = written.get(target, project.get(target, b""))
            written[target] = with_packages(before, source[path])
        written |= {target: source[path] for path, target in (*others, module)}
        removed += [*(path for path, _ in others), *appended, module[0]]
    changes: Changes = {path: content for path, content in written.items() if project.get(path) != content}
    return changes if library is not None else changes | dict.fromkeys(removed)


def with_packages(requirements: bytes, addition: bytes) -> bytes:
    """Return the text of a requirements file with the blocks of packages that it did not have."""
    have = {package for package, _ in blocks(requirements)}
    new = b"".join(block for package, block in blocks(addition) if package not in have)
    between = b"\n" if new and requirements and not requirements.endswith(b"\n") else b""
    return requirements + between + new


def blocks(requirements: bytes) -> list[tuple[str, bytes]]:
    """Return package and text of each block of a requirements file."""
    found: list[tuple[str, bytes]] = []
    inside = False
    for line in requirements.removesuffix(b"\n").split(b"\n"):
        if start := re.match(rb"[A-Za-z0-9][A-Za-z0-9._-]*", line):
            package = re.sub(r"[-._]+", "-", start[0].decode("ascii").lower())
            found.append((package, line + b"\n"))
            inside = True
        elif inside and line[:1] in (b" ", b"\t"):
            found[-1] = (found[-1][0], found[-1][1] + line + b"\n")
        else:
            inside = False
    return found


def _moves(name: str, source: Files) -> dict[str, str]:
    """Return old and new path of each file, sorted by the old one, with the module itself at the end."""
    moves: dict[str, str] = {}
    for pattern, folder in _MOVES.items():
        expression = re.compile(pattern.replace("NAME", name))
        for path in sorted(source):
            if match := expression.fullmatch(path):
                moves[path] = f"{folder}/{match[1]}"
    module = f"examples/example_{name}.py"
    moves[module] = moves.pop(module)
    return moves


def _requirements(name: str) -> dict[str, str]:
    return {f"examples/requirements/{name}.{ending}": target for ending, target in _APPENDED.items()}


def _refuse(name: str, project: Files, source: Files) -> None:
    here, there = examples(project, "src"), examples(source)
    if name in here and (name not in there or source is not project):
        raise KitError(f"the example {name} is in src/ already")
    if name not in there:
        known = in_order({*there, *here})
        raise KitError(f"there is no example {name!r}; there are: {', '.join(known) or 'none'}")
    if source is not project and name in examples(project):
        raise KitError(f"the project has examples/example_{name}.py itself; add it without --from")
