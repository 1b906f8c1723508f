"""One adapter per Python library that `peers.py` measures.

To add a peer: subclass `Peer`, import the library inside `__init__` (so that its absence skips this
peer only), and list it in `PEERS`.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from encoder import (
    DIMENSIONS,
    MAX_TOKENS,
    MODEL_FILE,
    MODEL_ID,
    OUTPUT,
    WEIGHTS_FILE,
    OnnxEncoder,
)

COMMON_BATCH = 16
"""The batch that every peer is measured at, beside its own default."""
SLICE = 256
"""Texts per bulk call: enough for the largest default batch among the peers."""
TOKENIZER_FILES = (
    "config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


class Peer(ABC):
    """A library with the model loaded."""

    version: str
    default_batch: int = COMMON_BATCH
    requirements: str = "bench/requirements.txt"

    @abstractmethod
    def __init__(self, model_dir: Path, staging: Path, threads: int) -> None:
        """Loads the model; `staging` is an empty folder for files that must be renamed."""

    @classmethod
    def accepts(cls, threads: int) -> bool:
        """Whether this thread count makes sense for the peer."""
        return threads >= 0

    @abstractmethod
    def bulk(self, texts: list[str], batch: int) -> np.ndarray:
        """Unit vectors [texts, 384] in the order of the texts."""

    def query(self, text: str) -> np.ndarray:
        """The unit vector of one text."""
        return self.bulk([text], 1)[0]

    def rate(self, texts: list[str], batch: int, seconds: float) -> float:
        """Texts per second over as many calls of `SLICE` texts as begin within `seconds`."""
        endless = cycle(texts)
        self.bulk(list(islice(endless, batch)), batch)
        done, start = 0, time.perf_counter()
        while True:
            done += len(self.bulk(list(islice(endless, SLICE)), batch))
            elapsed = time.perf_counter() - start
            if elapsed >= seconds:
                return done / elapsed


class OnnxRuntime(Peer):
    """ONNX Runtime and tokenizers as one would write it by hand: one session, sorted by length."""

    def __init__(self, model_dir: Path, staging: Path, threads: int) -> None:
        self.version = version("onnxruntime")
        self.encoder = OnnxEncoder(model_dir / MODEL_FILE, threads=threads, tokenizer_dir=model_dir)

    def bulk(self, texts: list[str], batch: int) -> np.ndarray:
        return self.encoder.encode(texts, batch)


class OnnxRuntimeSessions(Peer):
    """The same with a single-threaded session per core: what the embedder itself does."""

    def __init__(self, model_dir: Path, staging: Path, threads: int) -> None:
        self.version = version("onnxruntime")
        self.idle: SimpleQueue[OnnxEncoder] = SimpleQueue()
        for _ in range(threads):
            self.idle.put(OnnxEncoder(model_dir / MODEL_FILE, tokenizer_dir=model_dir))
        self.pool = ThreadPoolExecutor(threads)

    @classmethod
    def accepts(cls, threads: int) -> bool:
        return threads > 1

    def bulk(self, texts: list[str], batch: int) -> np.ndarray:
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = [order[start : start + batch] for start in range(0, len(order), batch)]
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        embedded = self.pool.map(lambda part: self._embed([texts[place] for place in part]), parts)
        for part, result in zip(parts, embedded, strict=True):
            vectors[part] = result
        return vectors

    def _embed(self, texts: list[str]) -> np.ndarray:
        encoder = self.idle.get()
        try:
            return encoder.encode(texts, len(texts))
        finally:
            self.idle.put(encoder)


class FastEmbed(Peer):
    """The fastembed package with the bundled file as a custom model."""

    default_batch = 256

    def __init__(self, model_dir: Path, staging: Path, threads: int) -> None:
        from fastembed import TextEmbedding
        from fastembed.common.model_description import ModelSource, PoolingType

        self.version = version("fastembed")
        link_tokenizer(model_dir, staging)
        (staging / MODEL_FILE).symlink_to(model_dir.resolve() / MODEL_FILE)
        TextEmbedding.add_custom_model(
            model=MODEL_ID,
            pooling=PoolingType.DISABLED,
            normalization=False,
            # A source must be named; `specific_model_path` keeps it from being asked.
            sources=ModelSource(hf=MODEL_ID),
            dim=DIMENSIONS,
            model_file=MODEL_FILE,
            output_name=OUTPUT,
        )
        self.model = TextEmbedding(
            MODEL_ID, threads=threads or None, specific_model_path=str(staging), cuda=False
        )

    def bulk(self, texts: list[str], batch: int) -> np.ndarray:
        return np.stack(list(self.model.embed(texts, batch_size=batch)))


class FastEmbedProcesses(FastEmbed):
    """fastembed's own data parallelism: a process per core, started anew for every call."""

    def __init__(self, model_dir: Path, staging: Path, threads: int) -> None:
        super().__init__(model_dir, staging, 1)
        self.processes = threads

    @classmethod
    def accepts(cls, threads: int) -> bool:
        return threads > 1

    def rate(self, texts: list[str], batch: int, seconds: float) -> float:
        """The steady rate of one endless call, from its first batch on.

        So the start of the processes, seconds for each call, is not held against it.
        """
        vectors = self.model.embed(cycle(texts), batch_size=batch, parallel=self.processes)
        try:
            for _ in islice(vectors, batch):
                pass
            done, start = 0, time.perf_counter()
            while True:
                done += sum(1 for _ in islice(vectors, batch))
                elapsed = time.perf_counter() - start
                if elapsed >= seconds and done >= 2 * self.processes * batch:
                    return done / elapsed
        finally:
            vectors.close()


class SentenceTransformers(Peer):
    """sentence-transformers on PyTorch's CPU kernels with the weights in float32."""

    default_batch = 32
    requirements = "bench/requirements-torch.txt"

    def __init__(self, model_dir: Path, staging: Path, threads: int) -> None:
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import (
            Normalize,
            Pooling,
            Transformer,
        )

        self.version = f"{version('sentence-transformers')} (torch {version('torch')})"
        if threads:
            torch.set_num_threads(threads)
        link_tokenizer(model_dir, staging)
        (staging / "model.safetensors").symlink_to(model_dir.resolve() / WEIGHTS_FILE)
        transformer = Transformer(
            str(staging), max_seq_length=MAX_TOKENS, model_kwargs={"dtype": torch.float32}
        )
        modules = [transformer, Pooling(DIMENSIONS, "mean"), Normalize()]
        self.model = SentenceTransformer(modules=modules, device="cpu")

    def bulk(self, texts: list[str], batch: int) -> np.ndarray:
        return self.model.encode(texts, batch_size=batch, show_progress_bar=False)


def link_tokenizer(model_dir: Path, staging: Path) -> None:
    """Puts the tokenizer's files into `staging`, with the embedder's limit of tokens."""
    for name in TOKENIZER_FILES:
        (staging / name).symlink_to(model_dir.resolve() / name)
    settings = json.loads((staging / "tokenizer_config.json").read_text(encoding="utf-8"))
    (staging / "tokenizer_config.json").unlink()
    (staging / "tokenizer_config.json").write_text(
        json.dumps(settings | {"model_max_length": MAX_TOKENS}), encoding="utf-8"
    )


PEERS: dict[str, type[Peer]] = {
    "onnxruntime": OnnxRuntime,
    "onnxruntime-sessions": OnnxRuntimeSessions,
    "fastembed": FastEmbed,
    "fastembed-processes": FastEmbedProcesses,
    "sentence-transformers": SentenceTransformers,
}
"""Peers by the name in the output."""
