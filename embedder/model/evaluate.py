"""Measures the model on the project's own catalogue and judged queries.

    python3 evaluate.py [--model FILE] [--out FILE]

Vectors alone decide here: no lexical score, no filters, no floor. What the whole search does is
measured by the embedder's own evaluation. Prints Markdown, or writes it to `--out`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from encoder import MODEL_DIR, MODEL_FILE, MODEL_ID, OnnxEncoder
from reference import Reference

REPOSITORY = Path(__file__).resolve().parents[2]
CATALOGUE = REPOSITORY / "images" / "catalogue"
JUDGED = REPOSITORY / "embedder" / "eval" / "search.jsonl"

LANGUAGES = ("es", "en")
CUTOFF = 10
"""nDCG looks at this many hits."""
FITS = 2
"""The lowest grade of an image that a marketer would use."""
BATCH = 16

DOCUMENT = """\
# Evaluation of {model_id} on the project's own data

Written by `python3 evaluate.py --out EVALUATION.md`; run it again after a change of the model, of
`images/catalogue/` or of `embedder/eval/search.jsonl`.

- File: `{file}`, sha256 `{digest}`, ONNX Runtime {runtime}.
- {images} images with a title and a description in Spanish and English.
- Vectors alone decide: no lexical score, no filter, no floor. The service's search adds those, so
  these are figures of the model, not of the product.
- The data was written for this project, by few hands, and is small: a share near .9 of {images} has
  a standard error of about 4 points, one near .75 of the judged queries about 5.

## A text of an image finds another text of the same image

The pool holds one text of every image, or two where it is of both languages. An image scores by its
best text, and its place counts every image that scores as high.

{retrieval}

## Judged queries

The queries of `embedder/eval/search.jsonl` that some image answers. An image scores by the better
of its two descriptions. "Fits" is a grade of {fits} or more. `reference` is the model in float64
without quantisation: the difference to it is what the int8 weights cost.

{judged}
"""


@dataclass(frozen=True)
class Catalogue:
    """Image ids and, by (field, language), one text per image."""

    ids: list[str]
    texts: dict[tuple[str, str], list[str]]

    @classmethod
    def read(cls, folder: Path) -> Catalogue:
        """Reads every TOML file; an entry without a text is an error."""
        entries = [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))]
        if not entries:
            raise SystemExit(f"no catalogue entries in {folder}: expected files ending in .toml")
        texts = {
            (field, language): [entry[language][field] for entry in entries]
            for field in ("title", "description")
            for language in LANGUAGES
        }
        return cls([entry["id"] for entry in entries], texts)


@dataclass(frozen=True)
class Query:
    """A judged query: grades by image id; an image without one does not fit."""

    language: str
    text: str
    grades: dict[str, int]


def judged_queries(path: Path) -> list[Query]:
    """The queries that some image answers."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [Query(row["language"], row["text"], row["relevant"]) for row in rows if row["relevant"]]


def places_of_own(queries: np.ndarray, pool: np.ndarray, images: int) -> np.ndarray:
    """The place of query i's own image, 1 being first; row j of the pool is of image j % images."""
    scores = (queries @ pool.T).reshape(len(queries), -1, images).max(axis=1)
    return (scores >= np.diag(scores)[:, None]).sum(axis=1)


def ndcg(grades: list[int], ideal: list[int]) -> float:
    """Normalised discounted cumulative gain with gain 2^grade - 1 (Burges et al. 2005)."""

    def gain(values: list[int]) -> float:
        return sum((2**grade - 1) / np.log2(place + 2) for place, grade in enumerate(values))

    return gain(grades[:CUTOFF]) / gain(sorted(ideal, reverse=True)[:CUTOFF])


def retrieval_table(vectors: dict[tuple[str, str], np.ndarray], images: int) -> list[str]:
    """Finding an image's text from another text of the same image."""
    both = np.concatenate([vectors["description", language] for language in LANGUAGES])
    cases = [
        (f"description {source} -> description {target}", vectors["description", source],
         vectors["description", target])
        for source, target in (("es", "en"), ("en", "es"))
    ] + [
        (f"title {source} -> description {target}", vectors["title", source],
         vectors["description", target])
        for source in LANGUAGES
        for target in LANGUAGES
    ] + [
        (f"title {source} -> descriptions of both languages", vectors["title", source], both)
        for source in LANGUAGES
    ]  # fmt: skip
    lines = ["| query -> pool | top-1 | top-3 | MRR |", "|---|---|---|---|"]
    for name, queries, pool in cases:
        places = places_of_own(queries, pool, images)
        first, third = int((places == 1).sum()), int((places <= 3).sum())
        mrr = float((1 / places).mean())
        lines.append(
            f"| {name} | {first}/{images} ({first / images:.3f}) "
            f"| {third}/{images} ({third / images:.3f}) | {mrr:.3f} |"
        )
    return lines


def ranked_grades(query: Query, scores: np.ndarray, ids: list[str]) -> list[int]:
    """The grades of all images from best score to worst; ties fall in the order of the ids."""
    return [query.grades.get(ids[place], 0) for place in np.argsort(-scores, kind="stable")]


def judged_table(
    queries: list[Query], encoders: dict[str, tuple[np.ndarray, np.ndarray]], ids: list[str]
) -> list[str]:
    """nDCG and hits at first place; per encoder, `(query vectors, vectors of both languages)`."""
    lines = [f"| vectors | queries | nDCG@{CUTOFF} | first hit fits |", "|---|---|---|---|"]
    for name, (vectors, pool) in encoders.items():
        scores = (vectors @ pool.T).reshape(len(queries), -1, len(ids)).max(axis=1)
        for language in LANGUAGES:
            rows = [
                (query, ranked_grades(query, row, ids))
                for query, row in zip(queries, scores, strict=True)
                if query.language == language
            ]
            mean = np.mean([ndcg(grades, list(query.grades.values())) for query, grades in rows])
            fits = sum(grades[0] >= FITS for _, grades in rows)
            lines.append(
                f"| {name} | {len(rows)} {language} | {mean:.3f} "
                f"| {fits}/{len(rows)} ({fits / len(rows):.3f}) |"
            )
    return lines


def report(model: Path) -> str:
    """The whole document."""
    catalogue, queries = Catalogue.read(CATALOGUE), judged_queries(JUDGED)
    images = len(catalogue.ids)
    encoder = OnnxEncoder(model)
    vectors = {key: encoder.encode(texts, BATCH) for key, texts in catalogue.texts.items()}
    query_texts = [query.text for query in queries]
    descriptions = [
        text for language in LANGUAGES for text in catalogue.texts["description", language]
    ]
    reference = Reference()
    encoders = {
        model.name: (encoder.encode(query_texts, BATCH), encoder.encode(descriptions, BATCH)),
        "reference": (reference.encode(query_texts), reference.encode(descriptions)),
    }
    return DOCUMENT.format(
        model_id=MODEL_ID,
        file=model.name,
        digest=hashlib.sha256(model.read_bytes()).hexdigest(),
        runtime=onnxruntime.__version__,
        images=images,
        fits=FITS,
        retrieval="\n".join(retrieval_table(vectors, images)),
        judged="\n".join(judged_table(queries, encoders, catalogue.ids)),
    )


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Evaluate the bundled model on the catalogue.")
    parser.add_argument("--model", type=Path, default=MODEL_DIR / MODEL_FILE, help="an ONNX file")
    parser.add_argument("--out", type=Path, help="write here instead of printing")
    arguments = parser.parse_args()
    document = report(arguments.model)
    if arguments.out:
        arguments.out.write_text(document, encoding="utf-8")
    else:
        sys.stdout.write(document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
