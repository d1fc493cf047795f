"""Drift of every kind: changes to the tiny kit, and what a check must say about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Change = Callable[[str], str]
PAGE = "docs/page.md"


@dataclass(frozen=True)
class Drift:
    """A change to one file, and what a check must say about it.

    Attributes:
        file: The file that is changed; it is made if it is not there, and removed if nothing is left of it.
        change: From the old text to the new one.
        says: Pattern of the finding; it begins with file and line.
        page: The page whose blocks are run.
    """

    file: str
    change: Change
    says: str
    page: str = PAGE


def swap(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text, f"{old!r} is not there to be changed"
        return text.replace(old, new, 1)

    return change


def add(more: str) -> Change:
    return lambda text: text + more


def write(text: str) -> Change:
    return lambda _: text


def on_page(change: Change, says: str) -> Drift:
    return Drift(PAGE, change, rf"docs/page\.md:\d+{says}")


def on_site(change: Change, says: str) -> Drift:
    return Drift(PAGE, change, rf"docs/page\.md:\d+{says}", "docs/index.md")


def in_snippet(name: str, change: Change, says: str) -> Drift:
    return Drift(f"snippets/tiny/{name}", change, rf"docs/page\.md:\d+ \(snippets/tiny/{name}:\d+\): {says}")


SOURCES = {
    "an include of a file that is not there": on_page(
        swap('tiny/hello.py")', 'tiny/gone.py")'), r": snippets/tiny/gone\.py: FileNotFoundError"
    ),
    "a symbol that was renamed": Drift(
        "template/src/greeting.py",
        swap("def greet(", "def welcome("),
        r"docs/page\.md:18: template/src/greeting\.py: greet: found 0 times",
    ),
    "a symbol that is there twice": Drift(
        "template/src/greeting.py",
        add("\n\ndef greet(name: str) -> str: ...\n"),
        r"docs/page\.md:18: .*greet: found 2 times",
    ),
    "a key that was removed": Drift(
        "snippets/tiny/data.json", swap('"low"', '"lower"'), r"docs/page\.md:\d+: .*data\.json: no key limits\.low"
    ),
    "JSON that is broken": Drift(
        "snippets/tiny/data.json",
        swap('"low": 1,', '"low": 1.,'),
        r"docs/page\.md:\d+: .*data\.json: limits\.low: .* line 3",
    ),
    "a macro that does not exist": on_page(add("\n<%= sorce('x') %>\n"), ": .*sorce"),
    "a variable that does not exist": on_page(swap("<%= version %>", "<%= verson %>"), ": .*verson"),
    "a section of a page without an end": on_page(swap("<% endfor %>", ""), ": .*endfor"),
    "a fence that is never closed": on_page(add("\n```console\n$ true\n"), ": this fence is never closed"),
    "a fence whose options are not in braces": on_page(
        add('\n```console exit="1"\n$ false\n```\n'), ": options need braces"
    ),
    "an option in single quotes": on_page(
        swap('title="snippets/tiny/hello.py"', "title='snippets/tiny/other.py'"), ": write options as name="
    ),
    "an option without quotes": on_page(add("\n```{ .console exit=1 }\n$ false\n```\n"), ": write options as name="),
    "a block without a line": on_page(add("\n```console\n\n```\n"), ": this block is empty"),
    "a block in a comment": on_page(add("\n<!--\n```console\n$ true\n```\n-->\n"), ": this fence stands in a comment"),
}

SHAPE = {
    "a snippet that no page shows": Drift(
        "snippets/tiny/orphan.py", write("1\n"), r"snippets/tiny/orphan\.py:1: no page shows this snippet"
    ),
    "a title that names another file": on_page(
        swap('title="template/src/greeting.py"', 'title="template/src/health.py"'),
        r" \(template/src/greeting\.py:4\): the title says template/src/health\.py, but the block shows",
    ),
    "a title that names another file than the one that is saved": on_page(
        swap('title="snippets/tiny/hello.py"', 'title="src/greet.py" save="src/hello.py"'),
        r" \(snippets/tiny/hello\.py:1\): the title says src/greet\.py, but the block is saved as src/hello\.py",
    ),
    "a title that leaves out a folder of what is saved": on_page(
        swap('title="snippets/tiny/hello.py"', 'title="hello.py" save="src/hello.py"'),
        r" \(snippets/tiny/hello\.py:1\): the title says hello\.py, but the block is saved as src/hello\.py",
    ),
    "an include by marker": on_page(add('\n--8<-- "snippets/tiny/hello.py"\n'), ": include with source"),
    "an include by lines": on_page(swap('greeting.py", "greet"', 'greeting.py", "greet", 1'), ": source.* give a file"),
    "a page without a description": on_page(
        swap("description: One block of each language.\n", ""), ": the front matter has no description"
    ),
    "front matter that is not YAML": on_page(swap("title: Page", "title: [Page"), ": the front matter "),
    "an element that is never closed": Drift(
        "docs/index.md", swap("</div>", ""), r"docs/index\.md:13: <div> is never closed", "docs/index.md"
    ),
    "a target of make that was renamed": Drift(
        "template/Makefile", swap("run:", "serve:"), r"docs/index\.md:14: `make run`: there is no target run"
    ),
    "a target of make with a hyphen": Drift(
        "docs/index.md", swap("`make run`", "`make check-all`"), r"docs/index\.md:14: .*no target check-all"
    ),
    "a command of the kit that is typed with its folder": Drift(
        "docs/index.md", swap("`python -m kit check", "`.venv/bin/python -m kit chek"), r"docs/index\.md:14: .*chek"
    ),
    "a command of the kit that is named shortly": Drift(
        "docs/index.md", swap("`python -m kit check", "`kit chek"), r"docs/index\.md:14: .*has no command chek"
    ),
    "a check that is not there": Drift(
        "docs/index.md", swap("checks it", "checks it for FK999"), r"docs/index\.md:14: there is no check FK999"
    ),
    "an option of the kit that was removed": Drift(
        "docs/index.md", swap("--env dev", "--stage dev"), r"docs/index\.md:14: .*check has no option --stage"
    ),
    "a command of the kit that was removed": Drift(
        "docs/index.md", swap("kit check", "kit inspect"), r"docs/index\.md:14: .*cli has no command inspect"
    ),
    "a setting that was renamed": Drift(
        "docs/index.md", swap("TINY_NAME", "TINY_TITLE"), r"docs/index\.md:14: `TINY_TITLE`: nothing in template/"
    ),
    "a README that names a target that is gone": Drift(
        "Makefile", swap("docs:", "pages:"), r"README\.md:7: `make docs PAGE=docs/page\.md`: there is no target docs"
    ),
    "a README that names a page that is gone": Drift(
        "README.md", swap("PAGE=docs/page.md", "PAGE=docs/gone.md"), r"README\.md:7: there is no docs/gone\.md"
    ),
    "a README whose example shows nothing": Drift(
        "README.md", swap('"greet"', '"welcome"'), r"README\.md:7: .*welcome: found 0 times"
    ),
    "a README with a dead link": Drift(
        "README.md", swap("(docs/page.md)", "(docs/gone.md)"), r"README\.md:8: the link leads to docs/gone\.md"
    ),
}

BLOCKS = {
    "a language that nothing verifies": on_page(add("\n```rust\nfn main() {}\n```\n"), ": nothing verifies rust"),
    "a block without a language": on_page(add("\n```\nhello\n```\n"), ": nothing verifies a block without a language"),
    "an option that nothing knows": on_page(
        add('\n```{ .console colour="red" }\n$ true\n```\n'), ": unknown option colour"
    ),
    "an option of an example that nothing knows": on_page(
        swap('example="bad"', 'example="bad" colour="red"'), ": unknown option colour"
    ),
    "an option of the kit's commands that nothing knows": on_page(
        swap('kit="yes"', 'kit="yes" colour="red"'), ": unknown option colour"
    ),
    "a place to save that is not there": on_page(
        swap('title="snippets/tiny/hello.py"', 'save="nowhere/hello.py"'),
        r' \(snippets/tiny/hello\.py:1\): save="nowhere/hello\.py": No such file',
    ),
    "code pasted into a page": on_page(add("\n```python\nprint(1)\n```\n"), ": python is typed in the page"),
    "a body that cannot run": Drift(
        "template/src/greeting.py",
        swap('return f"Hello, {name}!"', "return this_name_does_not_exist(1 / 0)"),
        r"docs/page\.md:17 \(template/src/greeting\.py:4\): tests of the template enter it and fail.*NameError",
    ),
    "a test of the template that cannot be imported": Drift(
        "template/test/test_greeting.py",
        add("import nowhere\n"),
        r"docs/page\.md:17 .*: the template's tests cannot be run.*No module named 'nowhere'",
    ),
    "an output of Python that was edited": in_snippet("hello.py", swap("#> Hello", "#> Good day"), "Failed: Print"),
    "a snippet with a syntax error": in_snippet("hello.py", swap('print("', "print("), "line 3 of hello.py: Syntax"),
    "a snippet that raises": in_snippet("hello.py", add("1 / 0\n"), r"line 5 of hello\.py: ZeroDivisionError"),
    "a snippet that warns": in_snippet(
        "hello.py", add("import warnings\nwarnings.warn('old', DeprecationWarning)\n"), r"line 6 of hello\.py: Depre"
    ),
    "YAML that is broken": in_snippet("data.yaml", swap("low: 1", "low: [1"), "not YAML"),
    "a key of YAML that is there twice": in_snippet("data.yaml", add("limits:\n  low: 2\n"), "not YAML: .*twice"),
    "a snippet that ends the program": in_snippet("hello.py", add("raise SystemExit(3)\n"), r"line 5 of .*SystemExit"),
    "TOML that is broken": in_snippet("data.toml", swap("low = 1", "low ="), "not TOML"),
    "a setting that cannot be read": in_snippet("tiny.env", write("TINY NAME\n"), r"the \.env reader refuses it"),
    "SQL that PostgreSQL refuses": in_snippet("now.sql", swap("now()", "never()"), "PostgreSQL refuses it"),
    "a migration that does not come back": in_snippet(
        "20990101000000_tiny.sql", swap("DROP TABLE tiny", "DROP TABLE other"), ".*other"
    ),
    "a tree that the archive does not have": on_page(
        swap("    build.sh", "    compile.sh"), ": row 3: the archive holds no"
    ),
    "an example of a check that was changed": on_page(
        swap("<%= rule.bad.text %>", '{"name": "fine"}'), ": this is not the bad example of FK001"
    ),
    "an output of a terminal that was edited": on_page(swap("\nhere\n", "\nthere\n"), r": \$ mkdir here.*printed"),
    "an option that the command does not have": on_page(swap("ls -1", "ls --one"), r": \$ mkdir here"),
    "a status of HTTP that is another one": on_page(swap("\n404\n", "\n200\n"), r": \$ curl .*printed\n404"),
    "an error text that was changed": on_page(swap("No such file or", "There is no such"), r": \$ ls nowhere"),
    "an exit status that is another one": on_page(swap('exit="2"', 'exit="1"'), r": .*ended with status 2, not 1"),
    "an option that kubectl does not have": on_page(swap("pods -n dev", "pods --in dev"), ": .*has no option --in"),
    "a placeholder in a command for the cluster": on_page(swap("pods -n dev", "pods -n <stage>"), ": .*needs a value"),
    "a target of the kit that is not there": on_page(swap("$ make test", "$ make prove"), ": make prove: "),
    "an option of the kit that a terminal types": Drift(
        "docs/project.md", swap("--version", "--release"), r"docs/project\.md:8: ", "docs/project.md"
    ),
    "a version that was edited": Drift(
        "docs/project.md", swap("<%= version %>", "0.0.0"), r"docs/project\.md:8: .*printed", "docs/project.md"
    ),
    "a command of a README that has no such option": Drift(
        "template/README.md", swap("-n dev", "--in dev"), r"template/README\.md:3: .*--in", "template/README.md"
    ),
    "a target of the README that is not there": Drift(
        "README.md", swap("$ make test", "$ make prove"), r"README\.md:3: make prove: ", "README.md"
    ),
}

SITE = {
    "a link to a page that is not there": on_site(add("\n[x](gone.md)\n"), ".*'gone.md'"),
    "a link that begins at the root": on_site(add("\n[x](/page/)\n"), ".*absolute link '/page/'"),
    "an anchor that is not there": on_site(add("\n[x](#gone)\n"), ".*'#gone'"),
    "an anchor that another page does not have": Drift(
        PAGE, swap("## Data", "## Figures"), r"docs/index\.md:9: .*'page\.md#data'", "docs/index.md"
    ),
    "a link to an archive that is not there": Drift(
        "docs/index.md",
        swap("downloads/SHA256SUMS", "downloads/MD5SUMS"),
        r"docs/index\.md:9: .*downloads/MD5SUMS",
        "docs/index.md",
    ),
    "an image that is not there": Drift(
        "docs/index.md", swap("dot.svg", "dash.svg"), r"docs/index\.md:11: .*dash\.svg", "docs/index.md"
    ),
    "an image of a bare element that is not there": on_site(add('\n<img src="gone.png" alt="x">\n'), ": .*gone.png"),
    "a link of a bare element that leads to nothing": on_site(
        add('\n<a href="../gone/">x</a>\n'), ": ../gone/ leads to"
    ),
    "a page that is not in the navigation": Drift(
        "docs/new.md",
        write("---\ntitle: New\ndescription: New.\n---\n\n# New\n"),
        r"docs/new\.md:1: this page is not in",
        "docs/new.md",
    ),
    "an entry of the navigation without a page": Drift(
        "mkdocs.yml",
        swap("Page: page.md", "Page: page.md\n  - Gone: gone.md"),
        r"mkdocs\.yml:\d+: .*'gone\.md'",
        "docs/index.md",
    ),
    "an id that is there twice": on_site(
        add("\n## One { #twin }\n\n## Two { #twin }\n"), ": two elements have the id twin"
    ),
    "two headings with one anchor": on_site(add("\n## Commands\n"), ": two headings have the anchor commands"),
    "a script of a foreign host": on_site(
        add('\n<script src="https://cdn.example.com/x.js"></script>\n'), ": asks a foreign host"
    ),
    "an image of a foreign host": on_site(add("\n![x](https://example.com/x.png)\n"), ": asks a foreign host"),
    "a style that asks a foreign host": Drift(
        "docs/assets/kit.css",
        add('\n@import "https://fonts.example.com/a.css";\n'),
        r"docs/assets/kit\.css:1: asks a foreign host",
        "docs/index.md",
    ),
    "a checksum that is out of date": on_site(add(f"\n`{'0' * 64}`\n"), ": 000000000000... is the checksum of no"),
    "code that bypasses the fences": on_site(
        add("\n<pre><code>rm -rf /</code></pre>\n"), ": 'rm -rf /' is shown as code, but stands in no fence"
    ),
}
DRIFTS = SOURCES | SHAPE | BLOCKS | SITE
