"""Builds the bundled model's ONNX file from its fp16 weights, and checks it.

    python3 rebuild.py build --out FILE
    python3 rebuild.py check [--model FILE]

`build` is deterministic: the versions in requirements.txt give the same bytes on every machine.
`check` holds a file against the NumPy reference, against itself in batches, and against the
bundled file, and exits with 1 if any bound is missed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from encoder import (
    DIMENSIONS,
    INPUTS,
    MODEL_DIR,
    MODEL_FILE,
    OUTPUT,
    OnnxEncoder,
    row_cosines,
)
from graph import MiniLm
from reference import Reference, load_weights

BUNDLED = MODEL_DIR / MODEL_FILE
SENTENCES = Path(__file__).resolve().parent / "sentences.txt"

TO_REFERENCE = 0.999
TO_ITSELF_IN_A_BATCH = 0.9999
TO_BUNDLED = 0.9999
UNIT_LENGTH_TOLERANCE = 1e-5
BATCH = 16


@dataclass(frozen=True)
class Finding:
    """One checked property: the worst value met, and whether it is within its bound."""

    what: str
    value: str
    passed: bool


def built() -> bytes:
    """The ONNX file's bytes, made from the fp16 weights."""
    return MiniLm(load_weights()).build().SerializeToString(deterministic=True)


def build(out: Path) -> int:
    """Writes the file and prints its size and hash."""
    content = built()
    out.write_bytes(content)
    print(f"{out}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


def check(model: Path) -> int:
    """Prints every finding about the file; 0 if all are within their bounds."""
    sentences = SENTENCES.read_text(encoding="utf-8").splitlines()
    print(f"{model}: {len(sentences)} sentences, {onnx_hash(model)}")
    findings = list(findings_about(model, sentences))
    for finding in findings:
        print(f"{'ok  ' if finding.passed else 'FAIL'} {finding.what}: {finding.value}")
    return 0 if all(finding.passed for finding in findings) else 1


def findings_about(model: Path, sentences: list[str]) -> Iterator[Finding]:
    """Checks the file's form, then its vectors."""
    encoder = OnnxEncoder(model)
    yield form(encoder)
    alone = encoder.encode(sentences)
    lengths = np.linalg.norm(alone.astype(np.float64), axis=1)
    off = float(np.abs(lengths - 1).max())
    yield Finding("length 1, off by at most", f"{off:.1e}", off <= UNIT_LENGTH_TOLERANCE)

    reference = Reference().encode(sentences)
    yield cosines("alone, to the reference", alone, reference, TO_REFERENCE)
    for batch in (BATCH, len(sentences)):
        together = encoder.encode(sentences, batch)
        yield cosines(f"in batches of {batch}, to the reference", together, reference, TO_REFERENCE)
        yield cosines(f"in batches of {batch}, to alone", together, alone, TO_ITSELF_IN_A_BATCH)
    if model.resolve() == BUNDLED:
        same = built() == model.read_bytes()
        yield Finding("bytes are those that `build` makes", "yes" if same else "no", same)
    else:
        bundled = OnnxEncoder(BUNDLED).encode(sentences)
        yield cosines("alone, to the bundled file", alone, bundled, TO_BUNDLED)


def form(encoder: OnnxEncoder) -> Finding:
    """Inputs and output carry the names, types and ranks that the embedder feeds and reads."""
    expected = {name: ("tensor(int64)", 2) for name in INPUTS} | {OUTPUT: ("tensor(float)", 2)}
    session = encoder.session
    found = {
        value.name: (value.type, len(value.shape))
        for value in (*session.get_inputs(), *session.get_outputs())
    }
    width = session.get_outputs()[0].shape[-1]
    return Finding("inputs and output", f"{found}", found == expected and width == DIMENSIONS)


def cosines(what: str, left: np.ndarray, right: np.ndarray, bound: float) -> Finding:
    """The lowest cosine of matching rows must reach the bound."""
    found = row_cosines(left, right)
    value = f"cosine min {found.min():.6f}, mean {found.mean():.6f} (at least {bound})"
    return Finding(what, value, bool(found.min() >= bound))


def onnx_hash(model: Path) -> str:
    """The file's hash, as README.md lists it."""
    return "sha256 " + hashlib.sha256(model.read_bytes()).hexdigest()


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Rebuild and check the bundled embedding model.")
    commands = parser.add_subparsers(dest="command", required=True)
    build_command = commands.add_parser("build", help="write the ONNX file")
    build_command.add_argument("--out", type=Path, required=True, help="where to write it")
    check_command = commands.add_parser("check", help="check an ONNX file")
    check_command.add_argument("--model", type=Path, default=BUNDLED, help="an ONNX file")
    arguments = parser.parse_args()
    if arguments.command == "build":
        return build(arguments.out)
    return check(arguments.model)


if __name__ == "__main__":
    sys.exit(main())
