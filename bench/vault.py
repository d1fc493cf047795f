"""Measure the vault against bare PyNaCl: encrypt and decrypt, both formats, three sizes.

Ours takes and gives text and encodes base64; the bare SecretBox and Aead take and give bytes. With "key given" both
have the key in hand, which the target is about; with "key from file" ours looks up the pod's secret for every call,
as functions do. Writes bench/results/vault.json.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import TEMPLATE, report

TARGET = 2.0  # at most so many times the bare call, at 1 KiB
SIZES = {"32 B": 32, "1 KiB": 1024, "1 MiB": 1024 * 1024}
PLACE = "default/fission-your-service-env/PG_PASS"
EXAMPLES = """examples:
  bench/.venv/bin/python -m bench.vault                    about 20 seconds
  bench/.venv/bin/python -m bench.vault --quick            a few seconds, rough figures, nothing is written
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = report.parser("bench.vault", __doc__, EXAMPLES)
    parser.add_argument("--quick", action="store_true", help="3 rounds, write nothing")
    parser.add_argument("--rounds", type=int, default=21, help="how often each has its turn (default 21)")
    options = parser.parse_args(arguments)
    try:
        results = measure(3 if options.quick else options.rounds)
    except ImportError as error:
        print(report.explain_missing(error), file=sys.stderr)
        return 2
    print(show(results))
    if not options.quick:
        print(f"\nWritten: bench/results/{report.save('vault', results).name}")
    return 0


def measure(rounds: int) -> dict[str, Any]:
    """Run all pairs in turn and return what ``bench/results/vault.json`` holds.

    Args:
        rounds: turns of about 10 ms for each side of a pair.

    Raises:
        ImportError: a package of bench/requirements.txt is missing.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-vault-") as root:
        ring = _lay_out(Path(root))
        for size, count in SIZES.items():
            bare = _bare(count)
            for source, keys in {"key given": ring, "key from file": None}.items():
                for what, ours in _ours(count, keys).items():
                    report.progress(f"{size}: {what}, {source}")
                    mine, theirs = _in_turn(ours, bare[what], rounds)
                    rows.append(
                        {
                            "size": size,
                            "what": f"{what}, {source}",
                            "ours_us": round(mine * 1e6, 2),
                            "bare_us": round(theirs * 1e6, 2),
                            "ratio": round(mine / theirs, 3),
                            "target": TARGET if size == "1 KiB" and keys else None,
                        }
                    )
    report.progress_done()
    return {"script": "bench/vault.py", **report.circumstances(), "rounds": rounds, "comparisons": rows}


def show(results: dict[str, Any]) -> str:
    """Return the results as a table for a terminal."""
    rows = [["vault against bare PyNaCl", "ours µs", "bare µs", "ours takes", "target", "verdict"]]
    for row in results["comparisons"]:
        target, verdict = "-", "-"
        if row["target"]:
            target, verdict = f"<= {row['target']:g} x", "met" if row["ratio"] <= row["target"] else "missed"
        label = f"{row['size']}: {row['what']}"
        rows.append([label, f"{row['ours_us']:.1f}", f"{row['bare_us']:.1f}", f"{row['ratio']:.2f} x", target, verdict])
    return report.table(rows)


Calls = dict[str, Callable[[], Any]]


def _lay_out(root: Path) -> str:
    """Write a key ring where a pod has it, and return it."""
    sys.path.insert(0, str(TEMPLATE / "src"))
    from settings import SECRET_NAME
    from vault import new_vault_key

    ring = new_vault_key()
    file = root / "secrets" / "default" / SECRET_NAME / "VAULT_KEY"
    file.parent.mkdir(parents=True)
    file.write_text(ring + "\n")
    os.environ["FISSION_POD_ROOT"] = str(root)
    return ring


def _ours(size: int, keys: str | None) -> Calls:
    from vault import decrypt_vault, encrypt_vault

    text = base64.b64encode(os.urandom(size))[:size].decode()
    plain, bound = encrypt_vault(text, keys), encrypt_vault(text, keys, bound_to=PLACE)
    return {
        "encrypt v1": lambda: encrypt_vault(text, keys),
        "decrypt v1": lambda: decrypt_vault(plain, keys),
        "encrypt v2": lambda: encrypt_vault(text, keys, bound_to=PLACE),
        "decrypt v2": lambda: decrypt_vault(bound, keys, bound_to=PLACE),
    }


def _bare(size: int) -> Calls:
    from nacl.secret import Aead, SecretBox

    key, data, place = os.urandom(32), os.urandom(size), PLACE.encode()
    box, aead = SecretBox(key), Aead(key)
    plain, bound = box.encrypt(data), aead.encrypt(data, place)
    return {
        "encrypt v1": lambda: box.encrypt(data),
        "decrypt v1": lambda: box.decrypt(plain),
        "encrypt v2": lambda: aead.encrypt(data, place),
        "decrypt v2": lambda: aead.decrypt(bound, place),
    }


def _in_turn(ours: Callable[[], Any], bare: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Return the seconds per call of both: the best of short turns, because a disturbance only ever adds time."""
    calls = {call: max(1, int(0.01 / _seconds(call, 3))) for call in (ours, bare)}
    best = dict.fromkeys((ours, bare), float("inf"))
    for turn in range(rounds):
        for call in (ours, bare) if turn % 2 == 0 else (bare, ours):
            best[call] = min(best[call], _seconds(call, calls[call]))
    return best[ours], best[bare]


def _seconds(call: Callable[[], Any], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) / count


if __name__ == "__main__":
    sys.exit(main())
