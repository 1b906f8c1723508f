"""Texts to token ids, and token ids to vectors through an ONNX file.

Shared by the rebuild check, the evaluation and the benchmark's Python peers, so that all of them
tokenise alike: WordPiece from `tokenizer.json`, cut at 256 tokens, padded to the longest text of
the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

MODEL_ID = "minilm-es-en-v1"
MODEL_DIR = Path(__file__).resolve().parent / MODEL_ID
MODEL_FILE = "model.w8.onnx"
WEIGHTS_FILE = "weights.fp16.safetensors"

DIMENSIONS = 384
MAX_TOKENS = 256
PAD_ID = 0

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUT = "sentence_embedding"


def load_tokenizer(model_dir: Path = MODEL_DIR) -> Tokenizer:
    """The model's tokenizer, cutting at `MAX_TOKENS` and not padding.

    The file itself asks for 128 tokens and a fixed padding to 128: a habit of the teacher model
    that would make every query cost as much as a long text.
    """
    tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def pad(token_ids: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """The graph's three inputs, int64 [batch, longest], from unpadded ids."""
    longest = max(map(len, token_ids))
    ids = np.full((len(token_ids), longest), PAD_ID, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(token_ids):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return dict(zip(INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))


class OnnxEncoder:
    """An ONNX Runtime session on the CPU with its tokenizer.

    `threads` is the session's intra-op thread count; 0 leaves it to the runtime (one per core).
    """

    def __init__(self, model: Path | bytes, *, threads: int = 1, tokenizer_dir: Path = MODEL_DIR):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        source = model if isinstance(model, bytes) else str(model)
        self.session = onnxruntime.InferenceSession(
            source, options, providers=["CPUExecutionProvider"]
        )
        self.tokenizer = load_tokenizer(tokenizer_dir)

    def encode(self, texts: Sequence[str], batch: int = 1) -> np.ndarray:
        """Unit vectors, float32 [texts, 384], in the order of the texts.

        Batches are made of texts of like length, so that little is padded.
        """
        token_ids = [one.ids for one in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda place: len(token_ids[place]))
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            inputs = pad([token_ids[place] for place in places])
            vectors[places] = self.session.run([OUTPUT], inputs)[0]
        return vectors


def row_cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The cosine of each row of `left` with the same row of `right`, float64 [rows]."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / norms
