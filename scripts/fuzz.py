"""Looks for inputs that break a promise: atheris, guided by coverage, on the targets of tests/fuzz/targets.py.

    python scripts/fuzz.py [TARGET...] --seconds 900

The seconds are of the processor, so that a busy machine fuzzes longer, not less. Prints for each target the executions,
those seconds and the seconds by the clock, how many edges of the package's code were reached, and what was found; ends
with code 1 if anything was. Found inputs go to build/fuzz/findings/: mend the fault, then keep the input
in tests/fuzz/corpus/TARGET/. What was learned of the targets stays in build/fuzz/corpus/ for the next run.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "fuzz"
LONGEST_INPUT = 4096
LOADED_LATE = ("extractor.corpus.record_readers", "extractor.markup", "extractor.repetition_features")
"""Modules that the package loads where it first needs them."""
SLOWEST = 120
"""Seconds by the clock that one input may take: many, as a busy machine stops the clock for nobody."""
MEMORY = 2048


def main() -> int:
    arguments = _arguments()
    if arguments.inside:
        fuzz(arguments.targets[0], arguments.seconds)
    print(f"{'target':12} {'executions':>12} {'seconds':>8} {'by the clock':>13} {'edges':>7} {'findings':>9}")
    found = [run(target, arguments.seconds) for target in arguments.targets or target_names()]
    return int(any(found))


def run(target: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; whether anything was found."""
    before = set(BUILD.glob("findings/*"))
    start, processor = time.monotonic(), _processor_seconds()
    command = [sys.executable, __file__, "--inside", "--seconds", str(seconds), target]
    finished = subprocess.run(command, capture_output=True, text=True, errors="replace")
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / f"{target}.log").write_text(finished.stderr + finished.stdout, encoding="utf-8", errors="replace")
    executions = re.findall(r"^stat::number_of_executed_units:\s*(\d+)|^#(\d+)\s", finished.stderr, re.M)
    edges = re.findall(r"\bcov: (\d+)", finished.stderr)
    findings = sorted(set(BUILD.glob("findings/*")) - before)
    number = int("".join(executions[-1])) if executions else 0
    times = f"{_processor_seconds() - processor:>8.0f} {time.monotonic() - start:>13.0f}"
    print(f"{target:12} {number:>12,} {times} {edges[-1] if edges else '-':>7} {len(findings):>9}", flush=True)
    for finding in findings:
        print(f"  {finding.relative_to(ROOT)}")
    if finished.returncode and not findings:
        print(f"  ended with code {finished.returncode}: see {(BUILD / target).relative_to(ROOT)}.log")
    return bool(finished.returncode)


def _processor_seconds() -> float:
    """What the processes that were run here have taken of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def target_names() -> list[str]:
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    return list(importlib.import_module("fuzz.targets").TARGETS)


def fuzz(target: str, seconds: int) -> None:
    """Fuzz in this process, which ends with it."""
    import atheris

    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    with atheris.instrument_imports(include=["extractor"]):
        targets = importlib.import_module("fuzz.targets")
        for module in LOADED_LATE:  # what is loaded outside of this block is not counted
            importlib.import_module(module)
    work, findings = BUILD / "corpus" / target, BUILD / "findings"
    for folder in (work, findings):
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "max_len": LONGEST_INPUT, "timeout": SLOWEST, "rss_limit_mb": MEMORY,
        "print_final_stats": 1, "artifact_prefix": f"{findings}/{target}-",
    }  # fmt: skip
    words = ROOT / "tests" / "fuzz" / f"{target}.dict"
    options |= {"dict": words} if words.exists() else {}
    settings = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup(
        [sys.argv[0], *settings, str(work), str(targets.CORPUS / target)], until(seconds, targets.TARGETS[target])
    )
    atheris.Fuzz()


def until(seconds: int, target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The target; once this process has taken so many seconds of the processor, libFuzzer ends after it."""

    def asked(data: bytes) -> None:
        target(data)
        if time.process_time() > seconds:
            os.kill(os.getpid(), signal.SIGUSR1)

    return asked


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all unless given")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
