"""Measures Python's embedding libraries on the bundled model, to compare the embedder with.

    python3 peers.py --texts texts.jsonl --out peers.json [--queries queries.jsonl]
                     [--threads 1 2 0] [--seconds 10] [--only NAME ...]

Texts are JSON lines with `id` and `text`. Every peer runs in a process of its own, one after the
other, so that none shares thread pools, caches or memory with another. What could not be measured
is in the output with the reason under `skipped`, and on standard error.

What is measured, so that the other side can measure alike:
- A query is one text per call, from string to vector, after a warm-up; wall time, p50 and p99.
- Bulk is calls of 256 texts each, split by the peer into batches; texts over wall time.
- The cosine is that of bulk vectors to the float64 reference of embedder/model/reference.py, on the
  first REFERENCE_TEXTS texts.
- `threads` bounds both the arithmetic and the tokenizer; 0 is the library's own choice.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import numpy as np

MODEL_CODE = Path(__file__).resolve().parents[1] / "embedder" / "model"
sys.path.insert(0, str(MODEL_CODE))

from encoder import row_cosines  # noqa: E402 (the path above finds it)
from peer_adapters import COMMON_BATCH, PEERS, Peer  # noqa: E402
from reference import Reference  # noqa: E402

REFERENCE_TEXTS = 64
WARM_UP_QUERIES = 20
MAX_QUERIES = 5_000
START_SECONDS = 300
"""How long a peer may take to import its library and load the model from a cold disk."""


@dataclass(frozen=True)
class Figures:
    """One row of the output: a peer at a thread count and a batch size."""

    name: str
    version: str | None = None
    threads: int = 0
    query_ms_p50: float | None = None
    query_ms_p99: float | None = None
    texts_per_second: float | None = None
    batch: int | None = None
    cosine_min: float | None = None
    cosine_mean: float | None = None
    skipped: str | None = None


def read_texts(path: Path) -> list[str]:
    """The texts of a JSON-lines file, in its order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines if line.strip()]
    if not texts:
        raise SystemExit(f'{path} holds no texts: expected lines like {{"id": "1", "text": "..."}}')
    return texts


def query_times(peer: Peer, queries: list[str], seconds: float) -> np.ndarray:
    """Milliseconds of single queries, for `seconds` or `MAX_QUERIES` queries."""
    for query in islice(cycle(queries), WARM_UP_QUERIES):
        peer.query(query)
    times = []
    deadline = time.perf_counter() + seconds
    for query in islice(cycle(queries), MAX_QUERIES):
        start = time.perf_counter()
        peer.query(query)
        end = time.perf_counter()
        times.append((end - start) * 1_000)
        if end > deadline:
            break
    return np.array(times)


def measure(arguments: argparse.Namespace) -> list[Figures]:
    """The rows of one peer at one thread count; runs in the peer's own process."""
    (threads,) = arguments.threads
    texts = read_texts(arguments.texts)
    queries = read_texts(arguments.queries) if arguments.queries else texts
    reference = np.load(arguments.reference)
    with tempfile.TemporaryDirectory() as staging:
        peer = PEERS[arguments.worker](arguments.model_dir, Path(staging), threads)
        times = query_times(peer, queries, arguments.seconds)
        row = Figures(
            name=arguments.worker,
            version=peer.version,
            threads=threads,
            query_ms_p50=round(float(np.percentile(times, 50)), 3),
            query_ms_p99=round(float(np.percentile(times, 99)), 3),
        )
        rows = []
        for batch in sorted({peer.default_batch, COMMON_BATCH}):
            vectors = peer.bulk(texts[: len(reference)], batch)
            found = row_cosines(np.asarray(vectors), reference)
            rate = peer.rate(texts, batch, arguments.seconds)
            rows.append(
                replace(
                    row,
                    batch=batch,
                    texts_per_second=round(rate, 1),
                    cosine_min=round(float(found.min()), 6),
                    cosine_mean=round(float(found.mean()), 6),
                )
            )
        return rows


def environment(threads: int) -> dict[str, str]:
    """The variables that bound a peer's threads, and keep it from asking a model hub."""
    variables = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if threads > 0:
        bound = str(threads)
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
        variables |= dict.fromkeys(names, bound)
        variables["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    return variables


def run_peer(name: str, threads: int, arguments: argparse.Namespace, folder: Path) -> list[dict]:
    """Measures a peer in a new process; a failure becomes a row that says why."""
    out = folder / f"{name}-{threads}.json"
    command = [sys.executable, __file__, "--worker", name, "--threads", str(threads)]
    command += ["--seconds", str(arguments.seconds), "--out", str(out)]
    command += ["--texts", str(arguments.texts), "--model-dir", str(arguments.model_dir)]
    command += ["--reference", str(folder / "reference.npy")]
    if arguments.queries:
        command += ["--queries", str(arguments.queries)]
    limit = START_SECONDS + 10 * arguments.seconds
    try:
        subprocess.run(
            command, env=environment(threads), check=True, timeout=limit, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        return json.loads(out.read_text(encoding="utf-8"))
    except subprocess.TimeoutExpired:
        reason = f"took longer than {limit:.0f} s"
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        reason = said[-1] if said else f"exit status {error.returncode}"
        if reason.startswith("ModuleNotFoundError"):
            reason += f"; install {PEERS[name].requirements}"
    sys.stderr.write(f"skipped {name} with {threads} threads: {reason}\n")
    return [asdict(Figures(name=name, threads=threads, skipped=reason))]


def machine() -> dict[str, object]:
    """What the figures depend on; a load average above 0 means that others were at work."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def compare(arguments: argparse.Namespace) -> dict[str, object]:
    """The whole output."""
    result: dict[str, object] = {"machine": machine()}
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = read_texts(arguments.texts)[:REFERENCE_TEXTS]
        np.save(folder / "reference.npy", Reference(arguments.model_dir).encode(first))
        for peer in arguments.only or PEERS:
            for threads in arguments.threads:
                if PEERS[peer].accepts(threads):
                    rows += run_peer(peer, threads, arguments, folder)
    result["peers"] = rows
    return result


def main() -> int:
    """Reads the command line. `--worker` and `--reference` are for the processes started here."""
    parser = argparse.ArgumentParser(description="Measure Python peers on the bundled model.")
    parser.add_argument("--texts", type=Path, required=True, help='JSON lines {"id", "text"}')
    parser.add_argument("--queries", type=Path, help="the same form; default: the texts")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="0: peer's choice")
    parser.add_argument("--seconds", type=float, default=10.0, help="bound of each measurement")
    parser.add_argument("--only", nargs="+", choices=list(PEERS), help="these peers only")
    parser.add_argument("--model-dir", type=Path, default=MODEL_CODE / "minilm-es-en-v1")
    parser.add_argument("--worker", choices=list(PEERS), help=argparse.SUPPRESS)
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.seconds <= 0 or min(arguments.threads) < 0:
        parser.error("--seconds must be above 0, and --threads 0 or more")
    if arguments.worker:
        output: object = [asdict(row) for row in measure(arguments)]
    else:
        output = compare(arguments)
    arguments.out.write_text(json.dumps(output, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
