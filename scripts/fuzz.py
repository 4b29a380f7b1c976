"""Looks for inputs that break a promise: atheris, guided by coverage, on the targets of tests/fuzz/targets.py.

    python scripts/fuzz.py [TARGET...] --seconds 900

    python scripts/fuzz.py --totals

The seconds are of the processor, so that a busy machine fuzzes longer, not less. Prints for each target the executions,
those seconds and the seconds by the clock, how many edges of the package's code were reached, and what was found; ends
with code 1 if anything was. Found inputs go to build/fuzz/findings/: mend the fault, then keep the input
in tests/fuzz/corpus/TARGET/. What was learned of the targets stays in build/fuzz/corpus/ for the next run.

Ctrl-C or SIGTERM ends a run early, and what it has done by then counts: each run is a line of build/fuzz/totals.jsonl.
Their sums are printed at the end, or by --totals at any time: executions and seconds of all runs, edges of the last.
"""

from __future__ import annotations

import argparse
import importlib
import json
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
TOTALS = BUILD / "totals.jsonl"
"""A line for each run: target, executions, seconds of the processor, edges, findings."""
LONGEST_INPUT = 4096
LOADED_LATE = ("extractor.corpus.record_readers", "extractor.markup", "extractor.repetition_features")
"""Modules that the package loads where it first needs them."""
SLOWEST = 120
"""Seconds by the clock that one input may take: many, as a busy machine stops the clock for nobody."""
MEMORY = 2048
LONGEST_RUN = 100
"""Seconds of the processor that one process fuzzes: it keeps some 30 KB of every execution, which is the fuzzer's (the
same inputs without it take none), and the next goes on with what was learned."""


class StoppedError(Exception):
    """Asked to stop."""


def main() -> int:
    arguments = _arguments()
    if arguments.inside:
        fuzz(arguments.targets[0], arguments.seconds)
    targets = arguments.targets or target_names()
    found = []
    if not arguments.totals:
        print(f"{'target':12} {'executions':>12} {'seconds':>8} {'by the clock':>13} {'edges':>7} {'findings':>9}")
        try:
            found = [run(target, seconds) for target in targets for seconds in portions(arguments.seconds)]
        except StoppedError:
            print("stopped")
        print("\nall runs:")
    print_totals(targets)
    return int(any(found))


def portions(seconds: int) -> list[int]:
    """So many seconds as runs of LONGEST_RUN, and what is left."""
    whole, rest = divmod(seconds, LONGEST_RUN)
    return [LONGEST_RUN] * whole + [rest] * bool(rest)


def run(target: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; whether anything was found. StoppedError once it is to be the last."""
    start, processor = time.monotonic(), _processor_seconds()
    before = set(BUILD.glob(f"findings/{target}-*"))
    log = BUILD / f"{target}.log"
    BUILD.mkdir(parents=True, exist_ok=True)
    code, stopped = _fuzz_apart(target, seconds, log)
    findings = sorted(set(BUILD.glob(f"findings/{target}-*")) - before)
    executions, edges = told(log.read_text(encoding="utf-8", errors="replace"))
    taken = round(_processor_seconds() - processor, 1)
    entry = {"target": target, "executions": executions, "seconds": taken, "edges": edges, "findings": len(findings)}
    with TOTALS.open("a", encoding="utf-8") as totals:
        totals.write(json.dumps(entry) + "\n")
    times = f"{taken:>8.0f} {time.monotonic() - start:>13.0f}"
    print(f"{target:12} {executions:>12,} {times} {edges or '-':>7} {len(findings):>9}", flush=True)
    for finding in findings:
        print(f"  {finding.relative_to(ROOT)}", flush=True)
    if stopped:
        raise StoppedError
    if code and not findings:
        print(f"  ended with code {code}: see {log.relative_to(ROOT)}", flush=True)
    return bool(code)


def _fuzz_apart(target: str, seconds: int, log: Path) -> tuple[int, bool]:
    """Fuzz in a process of its own, which writes to a log: the code it ends with, and whether it was asked to stop."""
    command = [sys.executable, __file__, "--inside", "--seconds", str(seconds), target]
    stopped = False
    with log.open("wb") as out:  # in a session of its own: Ctrl-C is for this process, which asks that one to end
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        process.send_signal(signal.SIGUSR1)

    before = [signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        return process.wait(), stopped
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)


def told(log: str) -> tuple[int, int]:
    """Executions and edges as libFuzzer told them last."""
    executions = re.findall(r"^stat::number_of_executed_units:\s*(\d+)|^#(\d+)\s", log, re.M)
    edges = re.findall(r"\bcov: (\d+)", log)
    return int("".join(executions[-1])) if executions else 0, int(edges[-1]) if edges else 0


def print_totals(targets: list[str]) -> None:
    """What all runs of some targets have done, as a table in Markdown."""
    runs = [json.loads(line) for line in TOTALS.read_text(encoding="utf-8").splitlines()] if TOTALS.exists() else []
    print("| target | executions | seconds | edges | findings |\n| --- | --- | --- | --- | --- |")
    for target in targets:
        of_target = [run for run in runs if run["target"] == target]
        executions, seconds, findings = (
            sum(run[name] for run in of_target) for name in ("executions", "seconds", "findings")
        )
        edges = next((run["edges"] for run in reversed(of_target) if run["edges"]), "-")
        print(f"| {target} | {executions:,} | {seconds:,.0f} | {edges} | {findings} |")


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
        "max_len": LONGEST_INPUT, "timeout": SLOWEST, "report_slow_units": SLOWEST, "rss_limit_mb": MEMORY,
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
    parser.add_argument("--totals", action="store_true", help="fuzz nothing, say what all runs have done")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
