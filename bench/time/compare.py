"""Scores answers to the time expressions: compare.py NAME=ANSWERS...; prints a table.

An answer is right when both ends are. `simple` are single days, months and years, which general date parsers
are made for; `range` is everything else.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
GROUPS = [("es", "simple"), ("es", "range"), ("en", "simple"), ("en", "range")]


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def main(named):
    expected = {line["id"]: line for line in lines(HERE / "expressions.jsonl")}
    print("| reader | " + " | ".join(f"{lang} {kind}" for lang, kind in GROUPS) + " | all |")
    print("|---" * (len(GROUPS) + 2) + "|")
    for name, path in named:
        answers = {line["id"]: line for line in lines(path)}
        assert answers.keys() == expected.keys(), f"{name} left expressions out"
        right = {
            id for id, line in expected.items()
            if (answers[id]["from"], answers[id]["to"]) == (line["from"], line["to"])
        }
        cells = []
        for lang, kind in GROUPS:
            ids = {id for id in expected if id.startswith(f"{lang}-{kind}-")}
            cells.append(f"{len(ids & right)} of {len(ids)}")
        cells.append(f"{len(right)} of {len(expected)}")
        print(f"| {name} | " + " | ".join(cells) + " |")


main([argument.split("=", 1) for argument in sys.argv[1:]])
