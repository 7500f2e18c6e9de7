"""`python -m tests.mutation`: how many faults in the code that decides about money the tests find.

What was found is kept in the copy, `mutants/`, so that a trial which broke off goes on; it starts
over when the code or a test has changed.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from tests.mutation.forking import KILLED, OVERDUE, Trial
from tests.mutation.mutants import ROOT, SETTINGS, Mutant, copy_code, put_faults, sampled

FLOOR = 0.8


def main() -> int:
    """Try the faults and print the share that was found; 1 where that is too small."""
    asked = _asked()
    results = _prepared(asked)
    every = put_faults(asked.folder, asked.only)
    mutants = [mutant for mutant in every if asked.only in mutant.name]
    if asked.each != "all":
        mutants = sampled(mutants, int(asked.each), asked.seed)
    trial = Trial(
        mutants=mutants,
        results=results,
        reached_in=asked.folder / "reached.json",
        seconds=asked.seconds,
        processes=asked.processes,
        said=lambda mutant, result: _say(mutant, result, results, asked),
    )
    if code := _pytest(trial, asked):
        return code
    return _table(mutants, results, len(every), asked)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=main.__doc__)
    parser.add_argument("--each", default="40", help="faults of each module, or all (%(default)s)")
    parser.add_argument("--only", default="", help="part of the name of a module or function")
    parser.add_argument("--seed", type=int, default=1, help="of the choice (%(default)s)")
    parser.add_argument("--seconds", type=float, default=6, help="of tests a fault (%(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="side by side (%(default)s)")
    parser.add_argument("--verbose", action="store_true", help="name each fault as it is tried")
    parser.add_argument(
        "--keep-found", action="store_true", help="try only what was not found before"
    )
    copy = {"type": lambda path: Path(path).resolve(), "help": "of the copy"}
    parser.add_argument("--folder", default=ROOT / "mutants", **copy)
    tests = SETTINGS["pytest_add_cli_args_test_selection"]
    parser.add_argument("tests", nargs="*", default=tests, help="files of tests, for a quick look")
    return parser.parse_args()


def _prepared(asked: argparse.Namespace) -> dict[str, str]:
    """Make a fresh copy of the code; what an earlier trial of it by the same tests found."""
    folder, kept = asked.folder, {}
    for name in ("version", "reached.json", "results.json"):
        if (folder / name).exists():
            kept[name] = (folder / name).read_text(encoding="utf-8")
    copy_code(folder)
    version = _version(folder, asked)
    (folder / "version").write_text(version, encoding="utf-8")
    results = json.loads(kept.get("results.json", "{}"))
    if kept.get("version") != version:
        found = {name: result for name, result in results.items() if result == KILLED}
        return found if asked.keep_found else {}
    if "reached.json" in kept:
        (folder / "reached.json").write_text(kept["reached.json"], encoding="utf-8")
    return results


def _version(folder: Path, asked: argparse.Namespace) -> str:
    digest = hashlib.sha256(f"{asked.tests} {asked.seconds} {asked.only}".encode())
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _pytest(trial: Trial, asked: argparse.Namespace) -> int:
    """Run the trial within pytest; its exit code."""
    os.chdir(asked.folder)
    sys.path[:] = [str(asked.folder), *(entry for entry in sys.path if not _is_root(entry))]
    arguments = ["-p", "no:cacheprovider", "-k", "not postgresql", "-q"]
    return int(pytest.main([*arguments, *asked.tests], plugins=[trial]))


def _is_root(entry: str) -> bool:
    return Path(entry or ".").resolve() == ROOT


def _say(mutant: Mutant, result: str, results: dict[str, str], asked: argparse.Namespace) -> None:
    (asked.folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    if asked.verbose or result not in {KILLED, OVERDUE}:
        print(f"{result}: {mutant.name}\n    {mutant.change}", flush=True)


def _table(mutants: list[Mutant], results: dict[str, str], every: int, asked) -> int:
    modules: dict[str, list[bool]] = {}
    for mutant in mutants:
        found = results[mutant.name] in {KILLED, OVERDUE}
        modules.setdefault(mutant.module, []).append(found)
    print(f"\n{'module':24}{'faults':>8}{'found':>8}{'share':>8}")
    for module, found in modules.items():
        print(f"{module:24}{len(found):>8}{sum(found):>8}{sum(found) / len(found):>8.0%}")
    all_found = [one for found in modules.values() for one in found]
    share = sum(all_found) / len(all_found)
    print(f"{'in all':24}{len(all_found):>8}{sum(all_found):>8}{share:>8.1%}")
    if overdue := sum(results[mutant.name] == OVERDUE for mutant in mutants):
        print(f"{overdue} of them were found because their tests did not end in time")
    if len(mutants) < every:
        print(f"a sample of {every} (seed {asked.seed}); MUTANTS=all tries each of them")
    if share < FLOOR:
        print(f"fewer than {FLOOR:.0%} were found")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
