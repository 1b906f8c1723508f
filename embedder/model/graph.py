"""The model as an ONNX graph with int8 weights and float32 arithmetic.

Only storage is quantised. At load, ONNX Runtime folds each `int8 * scale` into a float32 matrix,
so that a run costs what a float32 model costs, and a text's vector does not depend on the other
texts of its batch (as it does where activations are quantised with one scale for a whole batch).

Folding is why a weight is written as Cast and Mul rather than as a blocked DequantizeLinear: the
runtime fuses that one with the product into a kernel that rounds the activations to int8 as well,
which is faster for a single query but loses more (README.md has the figures).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from encoder import DIMENSIONS, INPUTS, OUTPUT
from reference import HEADS, LAYER_NORM_EPSILON, LAYERS

OPSET = 17
IR_VERSION = 8
GROUP = 64
"""Rows of a weight matrix that share a scale, per column."""
LARGEST = 127
"""int8 is used symmetrically: -127..127."""
MASKED = -10_000.0
"""Added to the score of a padding token: its share becomes exactly 0 after the softmax."""


class Graph:
    """Collects nodes and tensors. Results are named after what they hold."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: dict[str, onnx.TensorProto] = {}
        self._taken: dict[str, int] = {}

    def node(self, kind: str, name: str, *inputs: str, outputs: int = 1, **attributes: Any):
        """Adds a node; its output's name, or the list of them where there are several."""
        count = self._taken[name] = self._taken.get(name, 0) + 1
        name = name if count == 1 else f"{name}.{count}"
        results = [name] if outputs == 1 else [f"{name}.{part}" for part in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, results, name=name, **attributes))
        return results[0] if outputs == 1 else results

    def tensor(self, name: str, values: np.ndarray) -> str:
        """Adds a tensor under its own name."""
        self.tensors[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def ints(self, *values: int) -> str:
        """An int64 tensor, one for all that need the same values."""
        return self.tensor("ints_" + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value: float) -> str:
        """A float32 scalar."""
        return self.tensor(f"number_{value:g}", np.array(value, np.float32))


def quantise(
    values: np.ndarray, axis: int, stored: type[np.floating]
) -> tuple[np.ndarray, np.ndarray]:
    """int8 levels and scales of type `stored`; along `axis` the values share one scale."""
    scales = np.abs(values).max(axis=axis, keepdims=True) / np.float32(LARGEST)
    scales = np.maximum(scales, np.finfo(stored).tiny).astype(stored)
    # The levels belong to the scale as it is stored, so that its rounding costs nothing twice.
    levels = np.clip(np.rint(values / scales.astype(np.float32)), -LARGEST, LARGEST)
    return levels.astype(np.int8), scales


class MiniLm:
    """Writes the graph of the model from its weights."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.graph = Graph()

    def build(self) -> onnx.ModelProto:
        """The checked model."""
        token_mask = self.graph.node("Cast", "mask", "attention_mask", to=TensorProto.FLOAT)
        hidden = self._embeddings()
        bias = self._attention_bias(token_mask)
        for layer in range(LAYERS):
            hidden = self._block(hidden, bias, f"encoder.layer.{layer}.")
        self._pool(hidden, token_mask)
        return self._model()

    def _embeddings(self) -> str:
        graph, prefix = self.graph, "embeddings."
        word = self._looked_up(self.weights[prefix + "word_embeddings.weight"])
        kinds = graph.tensor("token_types", self.weights[prefix + "token_type_embeddings.weight"])
        kind = graph.node("Gather", prefix + "kind", kinds, "token_type_ids", axis=0)
        shape = graph.node("Shape", "shape", "input_ids")
        length = graph.node("Gather", "length", shape, graph.ints(1), axis=0)
        places = graph.tensor("positions", self.weights[prefix + "position_embeddings.weight"])
        place = graph.node("Slice", prefix + "place", places, graph.ints(0), length, graph.ints(0))
        total = graph.node("Add", prefix + "word_and_kind", word, kind)
        total = graph.node("Add", prefix + "sum", total, place)
        return self._layer_norm(total, prefix + "LayerNorm")

    def _looked_up(self, table: np.ndarray) -> str:
        """Rows of the word table: one scale a row, applied to the rows that a batch needs."""
        graph = self.graph
        levels, scales = quantise(table, 1, np.float32)
        rows = graph.node("Gather", "word.int8", graph.tensor("words", levels), "input_ids", axis=0)
        scale = graph.node(
            "Gather", "word.scale", graph.tensor("words.scales", scales), "input_ids", axis=0
        )
        rows = graph.node("Cast", "word.float", rows, to=TensorProto.FLOAT)
        return graph.node("Mul", "word", rows, scale)

    def _attention_bias(self, token_mask: str) -> str:
        """0 for a token and `MASKED` for padding, [batch, 1, 1, tokens]."""
        graph = self.graph
        wide = graph.node("Unsqueeze", "mask.wide", token_mask, graph.ints(1, 2))
        absent = graph.node("Sub", "mask.absent", graph.number(1.0), wide)
        return graph.node("Mul", "mask.bias", absent, graph.number(MASKED))

    def _block(self, hidden: str, bias: str, layer: str) -> str:
        graph = self.graph
        attended = self._attention(hidden, bias, layer)
        attended = self._linear(attended, layer + "attention.output.dense")
        hidden = graph.node("Add", layer + "attention.residual", attended, hidden)
        hidden = self._layer_norm(hidden, layer + "attention.output.LayerNorm")
        inner = self._gelu(self._linear(hidden, layer + "intermediate.dense"), layer + "gelu")
        outer = self._linear(inner, layer + "output.dense")
        hidden = graph.node("Add", layer + "residual", outer, hidden)
        return self._layer_norm(hidden, layer + "output.LayerNorm")

    def _attention(self, hidden: str, bias: str, layer: str) -> str:
        """Self-attention; query, key and value come from one product: faster than three."""
        graph, width = self.graph, DIMENSIONS // HEADS
        parts = [f"{layer}attention.self.{part}" for part in ("query", "key", "value")]
        # The score's division by sqrt(width) is moved into the query's weights.
        factors = [np.float32(1 / math.sqrt(width)), np.float32(1), np.float32(1)]
        weight = np.concatenate(
            [
                self.weights[part + ".weight"].T * factor
                for part, factor in zip(parts, factors, strict=True)
            ],
            1,
        )
        offset = np.concatenate(
            [
                self.weights[part + ".bias"] * factor
                for part, factor in zip(parts, factors, strict=True)
            ]
        )
        joint = self._product(hidden, weight, offset, layer + "attention.qkv")
        sizes = graph.ints(DIMENSIONS, DIMENSIONS, DIMENSIONS)
        query, key, value = graph.node(
            "Split", layer + "attention.split", joint, sizes, outputs=3, axis=-1
        )

        def heads(part: str, name: str, order: list[int]) -> str:
            split = graph.node("Reshape", name + ".heads", part, graph.ints(0, 0, HEADS, width))
            return graph.node("Transpose", name, split, perm=order)

        query = heads(query, layer + "attention.query", [0, 2, 1, 3])
        key = heads(key, layer + "attention.key", [0, 2, 3, 1])
        value = heads(value, layer + "attention.value", [0, 2, 1, 3])
        scores = graph.node("MatMul", layer + "attention.scores", query, key)
        scores = graph.node("Add", layer + "attention.masked", scores, bias)
        shares = graph.node("Softmax", layer + "attention.shares", scores, axis=-1)
        mixed = graph.node("MatMul", layer + "attention.mixed", shares, value)
        mixed = graph.node("Transpose", layer + "attention.joined", mixed, perm=[0, 2, 1, 3])
        return graph.node("Reshape", layer + "attention", mixed, graph.ints(0, 0, DIMENSIONS))

    def _gelu(self, values: str, name: str) -> str:
        graph = self.graph
        scaled = graph.node("Div", name + ".scaled", values, graph.number(math.sqrt(2.0)))
        erf = graph.node("Erf", name + ".erf", scaled)
        raised = graph.node("Add", name + ".raised", erf, graph.number(1.0))
        gated = graph.node("Mul", name + ".gated", values, raised)
        return graph.node("Mul", name, gated, graph.number(0.5))

    def _linear(self, hidden: str, name: str) -> str:
        return self._product(
            hidden, self.weights[name + ".weight"].T, self.weights[name + ".bias"], name
        )

    def _product(self, hidden: str, weight: np.ndarray, offset: np.ndarray, name: str) -> str:
        """`hidden @ weight + offset`, the weight stored as int8 with fp16 scales."""
        graph, (rows, columns) = self.graph, weight.shape
        groups = weight.reshape(rows // GROUP, GROUP, columns)
        levels, scales = quantise(groups, 1, np.float16)
        stored = graph.tensor(name + ".weight", levels)
        level = graph.node("Cast", name + ".levels", stored, to=TensorProto.FLOAT)
        stored = graph.tensor(name + ".scales", scales)
        scale = graph.node("Cast", name + ".scales.float", stored, to=TensorProto.FLOAT)
        grouped = graph.node("Mul", name + ".grouped", level, scale)
        matrix = graph.node("Reshape", name + ".matrix", grouped, graph.ints(rows, columns))
        product = graph.node("MatMul", name + ".product", hidden, matrix)
        return graph.node("Add", name, product, graph.tensor(name + ".bias", offset))

    def _layer_norm(self, hidden: str, name: str) -> str:
        scale = self.graph.tensor(name + ".weight", self.weights[name + ".weight"])
        offset = self.graph.tensor(name + ".bias", self.weights[name + ".bias"])
        return self.graph.node(
            "LayerNormalization", name, hidden, scale, offset, axis=-1, epsilon=LAYER_NORM_EPSILON
        )

    def _pool(self, hidden: str, token_mask: str) -> None:
        """The mean over a text's own tokens, scaled to length 1."""
        graph = self.graph
        column = graph.node("Unsqueeze", "pool.mask", token_mask, graph.ints(2))
        kept = graph.node("Mul", "pool.kept", hidden, column)
        total = graph.node("ReduceSum", "pool.total", kept, graph.ints(1), keepdims=0)
        count = graph.node("ReduceSum", "pool.count", column, graph.ints(1), keepdims=0)
        mean = graph.node("Div", "pool.mean", total, count)
        square = graph.node("Mul", "pool.square", mean, mean)
        norm = graph.node("ReduceSum", "pool.norm.square", square, graph.ints(1), keepdims=1)
        graph.node("Div", OUTPUT, mean, graph.node("Sqrt", "pool.norm", norm))

    def _model(self) -> onnx.ModelProto:
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in INPUTS
        ]
        output = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", DIMENSIONS])
        graph = helper.make_graph(
            self.graph.nodes, "minilm-es-en", inputs, [output], list(self.graph.tensors.values())
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="promptsales",
        )
        onnx.checker.check_model(model, full_check=True)
        return model
