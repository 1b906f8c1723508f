"""The model's forward pass in plain NumPy, float64: what every other form of it is held against.

It shares no code with the ONNX graph: it reads the fp16 weights, runs one unpadded text at a time
and writes out BERT's equations (Devlin et al. 2019, arXiv:1810.04805; GELU in its exact erf form,
Hendrycks and Gimpel 2016, arXiv:1606.08415).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from encoder import MODEL_DIR, WEIGHTS_FILE, load_tokenizer

LAYERS = 6
HEADS = 12
LAYER_NORM_EPSILON = 1e-12


def _erf(values: np.ndarray) -> np.ndarray:
    return np.fromiter(map(math.erf, values.flat), np.float64, values.size).reshape(values.shape)


def load_weights(path: Path = MODEL_DIR / WEIGHTS_FILE) -> dict[str, np.ndarray]:
    """The tensors under their BERT names, widened from fp16 to float32 (which loses nothing)."""
    return {name: tensor.astype(np.float32) for name, tensor in load_file(path).items()}


class Reference:
    """The model in float64 arithmetic."""

    def __init__(self, model_dir: Path = MODEL_DIR):
        stored = load_weights(model_dir / WEIGHTS_FILE)
        self.weights = {name: tensor.astype(np.float64) for name, tensor in stored.items()}
        self.tokenizer = load_tokenizer(model_dir)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float64 [texts, 384]."""
        return np.stack([self._encode_one(self.tokenizer.encode(text).ids) for text in texts])

    def _encode_one(self, token_ids: Sequence[int]) -> np.ndarray:
        embeddings = "embeddings."
        hidden = (
            self.weights[embeddings + "word_embeddings.weight"][list(token_ids)]
            + self.weights[embeddings + "position_embeddings.weight"][: len(token_ids)]
            + self.weights[embeddings + "token_type_embeddings.weight"][0]
        )
        hidden = self._layer_norm(hidden, embeddings + "LayerNorm")
        for layer in range(LAYERS):
            hidden = self._block(hidden, f"encoder.layer.{layer}.")
        pooled = hidden.mean(axis=0)
        return pooled / np.linalg.norm(pooled)

    def _block(self, hidden: np.ndarray, layer: str) -> np.ndarray:
        attended = self._linear(self._attention(hidden, layer), layer + "attention.output.dense")
        hidden = self._layer_norm(hidden + attended, layer + "attention.output.LayerNorm")
        inner = self._linear(hidden, layer + "intermediate.dense")
        inner = 0.5 * inner * (1.0 + _erf(inner / math.sqrt(2.0)))
        outer = self._linear(inner, layer + "output.dense")
        return self._layer_norm(hidden + outer, layer + "output.LayerNorm")

    def _attention(self, hidden: np.ndarray, layer: str) -> np.ndarray:
        tokens, width = hidden.shape
        query, key, value = (
            self._linear(hidden, f"{layer}attention.self.{part}")
            .reshape(tokens, HEADS, width // HEADS)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(width // HEADS)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return (shares @ value).swapaxes(0, 1).reshape(tokens, width)

    def _linear(self, hidden: np.ndarray, name: str) -> np.ndarray:
        return hidden @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _layer_norm(self, hidden: np.ndarray, name: str) -> np.ndarray:
        centred = hidden - hidden.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + LAYER_NORM_EPSILON)
        return centred / deviation * self.weights[name + ".weight"] + self.weights[name + ".bias"]
