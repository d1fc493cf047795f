"""What pages say of ports is what the commands take; the run itself uses others, so it cannot notice a change."""

from __future__ import annotations

import re

from kit.serve.command import serve

from tools import ROOT
from tools.expand import HERE
from tools.workbench import RUN_PORT, SITE_PORT


def port_of(makefile: str) -> int:
    found = re.search(r"(?m)^PORT \?= (\d+)$", (ROOT / makefile).read_text("utf-8"))
    assert found is not None
    return int(found[1])


def test_the_ports_that_pages_say_are_the_defaults_of_the_commands() -> None:
    default = next(option.default for option in serve.params if option.name == "port")
    assert (port_of("template/Makefile"), default) == (RUN_PORT, RUN_PORT)
    assert port_of("Makefile") == SITE_PORT
    assert f"127.0.0.1:{SITE_PORT}/" in HERE
    assert f'SITE_URL, "{HERE}"' in (ROOT / "mkdocs.yml").read_text("utf-8")
