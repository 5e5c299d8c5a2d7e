"""What an office would use instead of our matcher: each peer ranks phrasings for a question, nothing more.

Every peer gets the texts as they were written, and one process without threads, as ours does. Their packages
are imported when a peer is built: only `manage.py bench` installs them.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

Ranked = list[tuple[int, float]]
"""Places of phrasings with their scores, best first."""
Ask = Callable[[str, int], Ranked]
"""Asks a question and takes as many phrasings as told."""


def _rapidfuzz(scorer: str) -> Callable[[Sequence[str]], Ask]:
    def build(phrasings: Sequence[str]) -> Ask:
        from rapidfuzz import fuzz, process

        chosen = getattr(fuzz, scorer)

        def ask(question: str, limit: int) -> Ranked:
            found = process.extract(question, phrasings, scorer=chosen, limit=limit)
            return [(place, float(score)) for _, score, place in found]

        return ask

    return build


def _bm25(phrasings: Sequence[str]) -> Ask:
    bm25s, jieba = import_module("bm25s"), import_module("rjieba")
    retriever = bm25s.BM25()
    retriever.index([jieba.cut(text) for text in phrasings], show_progress=False)
    known = retriever.vocab_dict

    def ask(question: str, limit: int) -> Ranked:
        words = [word for word in jieba.cut(question) if word in known]
        if not words:
            return []
        places, scores = retriever.retrieve([words], k=min(limit, len(phrasings)), show_progress=False)
        return [(int(p), float(s)) for p, s in zip(places[0], scores[0], strict=True) if s > 0]

    return ask


def _tfidf(phrasings: Sequence[str]) -> Ask:
    text = import_module("sklearn.feature_extraction.text")
    vectors = text.TfidfVectorizer(analyzer="char", ngram_range=(1, 2))
    table = vectors.fit_transform(phrasings)

    def ask(question: str, limit: int) -> Ranked:
        scores: Any = (table @ vectors.transform([question]).T).toarray().ravel()
        best = np.argsort(-scores, kind="stable")[:limit]
        return [(int(place), float(scores[place])) for place in best if scores[place] > 0]

    return ask


def bigrams(text: str) -> list[str]:
    """Pairs of neighbouring letters and digits; the text itself if it has just one."""
    clean = "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
    return [clean[at : at + 2] for at in range(len(clean) - 1)] or ([clean] if clean else [])


def _fts5(phrasings: Sequence[str]) -> Ask:
    table = sqlite3.connect(":memory:")
    table.execute("create virtual table phrasing using fts5(grams)")
    table.executemany(
        "insert into phrasing (rowid, grams) values (?, ?)",
        ((place, " ".join(bigrams(text))) for place, text in enumerate(phrasings)),
    )
    search = "select rowid, -rank from phrasing where phrasing match ? order by rank limit ?"

    def ask(question: str, limit: int) -> Ranked:
        words = " OR ".join(f'"{gram}"' for gram in dict.fromkeys(bigrams(question)))
        return table.execute(search, (words, limit)).fetchall() if words else []

    return ask


def _tantivy(phrasings: Sequence[str]) -> Ask:
    tantivy = import_module("tantivy")
    shape = tantivy.SchemaBuilder()
    shape.add_text_field("grams", tokenizer_name="grams")
    shape.add_integer_field("place", stored=True)
    schema = shape.build()
    index = tantivy.Index(schema)
    cutter = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.ngram(1, 2, False))
    cutter = cutter.filter(tantivy.Filter.lowercase()).build()
    index.register_tokenizer("grams", cutter)
    writer = index.writer(num_threads=1)
    for place, text in enumerate(phrasings):
        writer.add_document(tantivy.Document(grams=text, place=place))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    query, should = tantivy.Query, tantivy.Occur.Should

    def ask(question: str, limit: int) -> Ranked:
        terms = [
            (should, query.term_query(schema, "grams", gram))
            for gram in dict.fromkeys(cutter.analyze(question))
        ]
        if not terms:
            return []
        hits = searcher.search(query.boolean_query(terms), limit).hits
        return [(int(searcher.doc(address)["place"][0]), float(score)) for score, address in hits]

    return ask


PEERS: dict[str, Callable[[Sequence[str]], Ask]] = {
    "RapidFuzz ratio": _rapidfuzz("ratio"),
    "RapidFuzz WRatio": _rapidfuzz("WRatio"),
    "BM25, jieba words (bm25s)": _bm25,
    "TF-IDF, characters 1-2 (scikit-learn)": _tfidf,
    "SQLite FTS5, bigrams": _fts5,
    "tantivy, n-grams 1-2": _tantivy,
}
"""By the name shown in the tables."""
REFERENCE = "RapidFuzz ratio"
"""The peer that ratios are told against: it is a dependency of ours, so it is always there."""
