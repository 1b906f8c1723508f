"""One Python peer, measured in short rounds that alternate with the embedder's own.

    python3 peer_rounds.py --peer NAME --threads N --texts texts.jsonl --queries queries.jsonl

Started and steered by the Rust benchmark. It loads the peer once, says so, and then answers each
line of standard input with a line of standard output, both JSON objects:

    (started)                                  {"version": "1.2", "batches": [16, 256]}
    {"do": "query", "seconds": 3}              {"p50_ms": 5.1, "p99_ms": 6.0, "count": 588}
    {"do": "bulk", "seconds": 3, "batch": 16}  {"texts_per_second": 210.5}
    {"do": "vectors", "batch": 16}             {"vectors": [[0.1, ...], ...]}

or with {"error": "why"}. While it waits for a line it computes nothing. `vectors` are those of the
first REFERENCE_TEXTS texts. The peer `reference` is the model's forward pass in float64 NumPy and
answers `vectors` only. How a query and a bulk rate are measured: see `peers.py`, whose code this is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TextIO

import numpy as np

from peers import MODEL_CODE, REFERENCE_TEXTS, environment, query_times, read_texts
from peer_adapters import COMMON_BATCH, PEERS, Peer
from reference import Reference

REFERENCE = "reference"
BOUNDED = "PROMPTSALES_BENCH_BOUNDED"
"""Set once the variables that bound a library's threads are: they are read when it is imported."""


class ReferencePeer:
    """The model in float64, in a peer's clothes."""

    version = f"numpy {np.__version__}"
    default_batch = COMMON_BATCH

    def __init__(self, model_dir: Path, _staging: Path, _threads: int) -> None:
        self.model = Reference(model_dir)

    def bulk(self, texts: list[str], _batch: int) -> np.ndarray:
        """Unit vectors [texts, 384] in the order of the texts."""
        return self.model.encode(texts)


def answer(peer: Peer, command: dict, texts: list[str], queries: list[str]) -> dict:
    """Does what a command asks for."""
    match command["do"]:
        case "query":
            times = query_times(peer, queries, command["seconds"])
            p50, p99 = np.percentile(times, [50, 99])
            return {"p50_ms": float(p50), "p99_ms": float(p99), "count": len(times)}
        case "bulk":
            return {"texts_per_second": peer.rate(texts, command["batch"], command["seconds"])}
        case "vectors":
            vectors = peer.bulk(texts[:REFERENCE_TEXTS], command["batch"])
            return {"vectors": np.asarray(vectors, dtype=np.float64).round(9).tolist()}
        case other:
            return {"error": f"unknown command {other!r}: expected query, bulk or vectors"}


def serve(arguments: argparse.Namespace, staging: Path, answers: TextIO) -> None:
    """Loads the peer and answers commands until standard input ends."""

    def say(message: dict) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    chosen = PEERS.get(arguments.peer, ReferencePeer)
    try:
        texts, queries = read_texts(arguments.texts), read_texts(arguments.queries)
        peer = chosen(arguments.model_dir, staging, arguments.threads)
    except ModuleNotFoundError as error:
        say({"error": f"{error}; install {chosen.requirements}"})
        return
    except Exception as error:  # A library may fail in ways of its own; the run goes on without it.
        say({"error": f"{type(error).__name__}: {error}"})
        return
    say({"version": peer.version, "batches": sorted({peer.default_batch, COMMON_BATCH})})
    for line in sys.stdin:
        try:
            say(answer(peer, json.loads(line), texts, queries))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Measure one Python peer in rounds.")
    parser.add_argument("--peer", choices=[*PEERS, REFERENCE], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--model-dir", type=Path, default=MODEL_CODE / "minilm-es-en-v1")
    arguments = parser.parse_args()
    if BOUNDED not in os.environ:
        bounded = environment(arguments.threads) | {BOUNDED: "1"}
        os.execve(sys.executable, [sys.executable, *sys.argv], bounded)
    # Libraries print to standard output now and then: it is kept for answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with tempfile.TemporaryDirectory() as staging:
        serve(arguments, Path(staging), answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
