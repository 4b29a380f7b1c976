"""Looks for inputs that break a promise: atheris, guided by coverage, on the targets of tests/fuzz/targets.py.

    python scripts/fuzz.py [TARGET...] --seconds 900

Prints for each target the executions, the time, how many edges of the package's code were reached, and what was
found; ends with code 1 if anything was. Found inputs go to build/fuzz/findings/: mend the fault, then keep the input
in tests/fuzz/corpus/TARGET/. What was learned of the targets stays in build/fuzz/corpus/ for the next run.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "fuzz"
LONGEST_INPUT = 4096
SLOWEST = 120
"""Seconds by the clock that one input may take: many, as a busy machine stops the clock for nobody."""
MEMORY = 2048


def main() -> int:
    arguments = _arguments()
    if arguments.inside:
        fuzz(arguments.targets[0], arguments.seconds)
    print(f"{'target':12} {'executions':>12} {'seconds':>8} {'edges':>7} {'findings':>9}")
    found = [run(target, arguments.seconds) for target in arguments.targets or target_names()]
    return int(any(found))


def run(target: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; whether anything was found."""
    before = set(BUILD.glob("findings/*"))
    start = time.monotonic()
    command = [sys.executable, __file__, "--inside", "--seconds", str(seconds), target]
    finished = subprocess.run(command, capture_output=True, text=True, errors="replace")
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / f"{target}.log").write_text(finished.stderr + finished.stdout, encoding="utf-8", errors="replace")
    executions = re.findall(r"^stat::number_of_executed_units:\s*(\d+)|^#(\d+)\s", finished.stderr, re.M)
    edges = re.findall(r"\bcov: (\d+)", finished.stderr)
    findings = sorted(set(BUILD.glob("findings/*")) - before)
    spent = time.monotonic() - start
    number = int("".join(executions[-1])) if executions else 0
    print(f"{target:12} {number:>12,} {spent:>8.0f} {edges[-1] if edges else '-':>7} {len(findings):>9}", flush=True)
    for finding in findings:
        print(f"  {finding.relative_to(ROOT)}")
    if finished.returncode and not findings:
        print(f"  ended with code {finished.returncode}: see {(BUILD / target).relative_to(ROOT)}.log")
    return bool(finished.returncode)


def target_names() -> list[str]:
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    return list(importlib.import_module("fuzz.targets").TARGETS)


def fuzz(target: str, seconds: int) -> None:
    """Fuzz in this process, which ends with it."""
    import atheris

    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    with atheris.instrument_imports(include=["extractor"]):
        targets = importlib.import_module("fuzz.targets")
    work, findings = BUILD / "corpus" / target, BUILD / "findings"
    for folder in (work, findings):
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": seconds, "max_len": LONGEST_INPUT, "timeout": SLOWEST, "rss_limit_mb": MEMORY,
        "print_final_stats": 1, "artifact_prefix": f"{findings}/{target}-",
    }  # fmt: skip
    words = ROOT / "tests" / "fuzz" / f"{target}.dict"
    options |= {"dict": words} if words.exists() else {}
    settings = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *settings, str(work), str(targets.CORPUS / target)], targets.TARGETS[target])
    atheris.Fuzz()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all unless given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
