//! Lexical search: text to terms, terms to BM25 weights.
//!
//! BM25 (Robertson and Zaragoza 2009) is split as sparse-vector engines want it: the document side
//! holds each term's saturated frequency, the query side its inverse document frequency, and their
//! inner product is the BM25 score.

pub mod analyzer;
pub mod bm25;
mod function_words;
pub mod language;
pub mod lexicon;

pub use analyzer::{Analyzer, Term};
pub use bm25::SparseVector;
pub use lexicon::Lexicon;
