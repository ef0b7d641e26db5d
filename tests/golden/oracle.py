#!/usr/bin/env python3
"""An independent second opinion on every golden case, in exact rationals and without a line of the
service's code.

    oracle.py FOLDER

reads each `NAME.in.jsonl` of the folder, works out by itself what must follow, and compares that with
`NAME.out.jsonl`: bookings, positions, snapshots, drift, plans, waves, ids, and what became of every
input line. It prints one line for each difference and ends with 1 if there is any.
"""

import pathlib
import sys

from model.check import Case

FEWEST_CHECKS = 20


def main(folder):
    wrong, checks = [], 0
    names = sorted(path.name.removesuffix(".in.jsonl") for path in pathlib.Path(folder).glob("*.in.jsonl"))
    if not names:
        print(f"{folder} holds no case")
        return 1
    for name in names:
        case = Case(pathlib.Path(folder), name)
        case.check()
        checks += case.checks
        wrong += [f"{name}: {text}" for text in case.wrong]
        if case.checks < FEWEST_CHECKS:
            wrong.append(f"{name}: only {case.checks} figures could be checked")
    print("\n".join(wrong))
    print(f"{len(names)} cases, {checks} figures checked, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
