"""How long `import lifecycle_mail` takes beside `import attrs, cattrs`, in fresh interpreters that take turns."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from lib.timing import take_turns, verdict

OURS = "import lifecycle_mail"
THEIRS = "import attrs, cattrs"
EVERYTHING = "import lifecycle_mail; [getattr(lifecycle_mail, name) for name in lifecycle_mail.__all__]"
NOTHING = "pass"
_MEASURE = """\
import time
start = time.process_time()
{code}
print(time.process_time() - start)
"""


def _inside(code: str, cache: Path | None) -> float:
    """Return the CPU time of the import alone; with a folder for its cache, that of a first start."""
    environment = dict(os.environ)
    if cache is not None:
        # No byte code yet, neither of ours nor of theirs: as on the first start after an installation.
        with tempfile.TemporaryDirectory(dir=cache) as empty:
            environment["PYTHONPYCACHEPREFIX"] = empty
            return _answer(code, environment)
    return _answer(code, environment)


def _answer(code: str, environment: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(code=code)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def _whole(code: str) -> float:
    """Return how long an interpreter takes from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def _breakdown(code: str, most: int) -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True)
    rows = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        if own.strip().isdecimal():
            total, _, name = rest.partition("|")
            rows.append((int(own), int(total), name.strip()))
    rows.sort(reverse=True)
    print(f"\nmost expensive modules of `{code[:60]}` (microseconds: own, with what it imports)")
    for alone, whole, module in rows[:most]:
        print(f"  {alone:>8} {whole:>8}  {module}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--breakdown", type=int, metavar="N", help="also print the N most expensive modules")
    given = parser.parse_args()
    for code in (OURS, EVERYTHING, THEIRS):  # byte code exists from here on
        _inside(code, None)
    codes = {"ours": OURS, "ours, every public name": EVERYTHING, "attrs and cattrs": THEIRS}

    def report(title: str, prefix: str) -> None:
        print(title)
        for name in codes:
            sample = found[prefix + name]
            print(f"  {name:<24} {sample.median * 1e3:7.1f} ms (spread {sample.spread:4.0%})")
        theirs = found[f"{prefix}attrs and cattrs"].median
        print("  ours / attrs and cattrs:", verdict(found[f"{prefix}ours"].median / theirs, 1.6))
        print(
            f"  every public name / attrs and cattrs: {found[f'{prefix}ours, every public name'].median / theirs:.2f}x"
        )

    with tempfile.TemporaryDirectory() as folder:
        runs = {name: partial(_inside, code, None) for name, code in codes.items()}
        runs |= {f"whole {name}": partial(_whole, code) for name, code in codes.items()}
        runs["whole nothing"] = partial(_whole, NOTHING)
        found = take_turns(runs, repeats=given.repeats)
        cold = {f"cold {name}": partial(_inside, code, Path(folder)) for name, code in codes.items()}
        found |= take_turns(cold, repeats=max(3, given.repeats // 4))
    report(f"the import alone, CPU, byte code at hand (median of {given.repeats})", "")
    report("the import alone, CPU, no byte code at all yet", "cold ")
    nothing = found["whole nothing"].median
    print(f"the whole interpreter, on the wall; it takes {nothing * 1e3:.1f} ms to import nothing")
    for name in codes:
        print(f"  {name:<24} {found[f'whole {name}'].median * 1e3:7.1f} ms")
    if given.breakdown:
        _breakdown(OURS, given.breakdown)
        _breakdown(EVERYTHING, given.breakdown)


if __name__ == "__main__":
    main()
