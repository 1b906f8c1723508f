"""How well semantic-router tells routes apart, on our vectors, beside ours.

Reads lines of `fit_route --export`; prints one JSON object. The peer gets the train split as its routes'
utterances, and its `fit` on the same; what its authors leave to the user (how many neighbours, how they are
put together, whether `neither` is a route of its own or what lies below a threshold) is chosen by
cross-validation on the train split, as ours was.
"""

import functools
import itertools
import json
import logging
import sys
from importlib.metadata import version

import numpy as np
from semantic_router import IndexedRouter, Route
from semantic_router.encoders import DenseEncoder

logging.disable(logging.WARNING)
FOLDS = 5
VECTORS: dict[str, list[float]] = {}


class Ours(DenseEncoder):
    """Vectors that were made before, by our embedder."""

    name: str = "ours"

    def __call__(self, docs):
        return [VECTORS[text] for text in docs]

    async def acall(self, docs):
        return self(docs)


def router(rows, top_k, aggregation, threshold):
    """With `threshold`, `neither` is no route: it is what no route is sure enough of."""
    routes = {}
    for row in rows:
        if threshold is None or row["label"] != "neither":
            routes.setdefault(row["label"], []).append(row["text"])
    made = IndexedRouter(
        Ours(),
        [Route(name=name, utterances=texts) for name, texts in routes.items()],
        top_k=top_k,
        aggregation=aggregation,
        confidence_threshold=threshold,
    )
    labels = [row["label"] if row["label"] in routes else None for row in rows]
    try:
        made.fit([row["text"] for row in rows], labels)
    except ValueError:
        # Nothing was wrong on its own utterances; it then works with raw scores, as without fit.
        pass
    return made


def routed(made, rows):
    return [made(row["text"]).name or "neither" for row in rows]


def scores(rows, taken):
    right = [row["label"] == route for row, route in zip(rows, taken)]
    out = [route == "neither" for row, route in zip(rows, taken) if row["label"] == "neither"]
    return {"accuracy": float(np.mean(right)), "out_of_scope_recall": float(np.mean(out))}


def cross_validated(rows, options):
    taken, seen = {}, {}
    for row in rows:
        seen[row["label"]] = seen.get(row["label"], -1) + 1
        row["fold"] = seen[row["label"]] % FOLDS
    for fold in range(FOLDS):
        kept = [row for row in rows if row["fold"] != fold]
        held = [row for row in rows if row["fold"] == fold]
        made = router(kept, *options)
        taken.update((row["id"], route) for row, route in zip(held, routed(made, held)))
    return scores(rows, [taken[row["id"]] for row in rows])["accuracy"]


def main():
    lines = [json.loads(line) for line in sys.stdin]
    VECTORS.update((line["text"], line["vector"]) for line in lines)
    train = [line for line in lines if line["split"] == "train"]
    test = [line for line in lines if line["split"] == "test"]
    measured = functools.cache(lambda options: cross_validated(train, options))
    # With one neighbour `fit` finds each utterance itself and refuses to calibrate.
    neighbours = itertools.product([5, 10, 20], ["mean", "sum"])
    top_k, aggregation = max(neighbours, key=lambda both: measured((*both, None)))
    best = max(((top_k, aggregation, threshold) for threshold in [None, 0.6, 0.8]), key=measured)
    defaults = (5, "mean", None)
    report = {
        "utterances": {"train": len(train), "test": len(test)},
        "ours": scores(test, [line["ours"] for line in test]),
        "peer": f"semantic-router {version('semantic-router')}",
        "peer_defaults": scores(test, routed(router(train, *defaults), test)),
        "peer_tuned": {
            **scores(test, routed(router(train, *best), test)),
            "top_k": best[0],
            "aggregation": best[1],
            "threshold": best[2],
        },
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
