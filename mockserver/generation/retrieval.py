"""Retrieval: searches the passages of indexes with BM25 of SQLite's FTS5, on word stems.

BM25 has no upper bound, but a cutoff needs one. So the score of a passage is rank / (1 + rank), from 0 to 1. Each index
also contains empty passages, one more than real ones: BM25 gives no weight to words that are in half of all passages,
and in an index of three passages that is nearly every word.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent_contract import ContractError, Problem

_WORD = re.compile(r"\w+")
#: Maximum number of characters and of different words of a question.
_MAX_QUESTION = 10_000
_MAX_WORDS = 100
_SEARCH = "SELECT rowid, bm25(passage) FROM passage WHERE passage MATCH ? ORDER BY rank, rowid LIMIT ?"
#: Maximum number of found passages; SQLite accepts only 64-bit numbers.
_MAX_FOUND = 1_000


@dataclass(frozen=True, slots=True)
class KnowledgeDocument:
    """A passage of knowledge; `id` is a uuid."""

    id: str
    text: str
    origin_name: str | None = None
    media_type: str | None = None
    origin_ref: str | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeIndex:
    """The documents of an index. `tool_id` and `knowledge_base_id` are the ids of its search tool and knowledge base.

    All ids are uuids. If the last two are empty, they are derived from `id`.
    """

    id: str
    name: str
    documents: tuple[KnowledgeDocument, ...] = ()
    tool_id: str = ""
    knowledge_base_id: str = ""

    def search_tool(self) -> str:
        """Return the id of the search tool, in lower case."""
        return self.tool_id.lower() or self._derived("search-tool")

    def knowledge_base(self) -> str:
        """Return the id of the knowledge base, in lower case."""
        return self.knowledge_base_id.lower() or self._derived("knowledge-base")

    def _derived(self, kind: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{self.id.lower()}"))


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A passage that matches a question, with its score from 0 to 1."""

    document: KnowledgeDocument
    score: float


class SearchIndex:
    """Documents that any thread can search, with the ids of the search tool and of the knowledge base."""

    def __init__(self, documents: Sequence[KnowledgeDocument], tool_id: str = "", knowledge_base_id: str = "") -> None:
        self.tool_id, self.knowledge_base_id = tool_id, knowledge_base_id
        self.documents = documents
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._database.close)
        try:
            self._database.execute("CREATE VIRTUAL TABLE passage USING fts5(text, tokenize='porter unicode61')")
        except sqlite3.OperationalError as error:
            problem = Problem(
                "sqlite3", "#", f"full-text search is not available: {error}", "use a Python whose SQLite has FTS5"
            )
            raise ContractError([problem]) from None
        passages = [document.text.replace("\0", " ") for document in documents]
        self._database.executemany(
            "INSERT INTO passage VALUES (?)", [(text,) for text in [*passages, *[""] * (len(passages) + 1)]]
        )

    def search(self, question: str, most: int, cutoff: float = 0.0) -> list[SearchHit]:
        """Return at most `most` passages with a word of the question and a score of at least `cutoff`, best first."""
        words = list(dict.fromkeys(_WORD.findall(question[:_MAX_QUESTION].lower())))[:_MAX_WORDS]
        if not words:
            return []
        wanted = " OR ".join(f'"{word}"' for word in words)
        with self._lock:
            rows = self._database.execute(_SEARCH, (wanted, max(0, min(most, _MAX_FOUND)))).fetchall()
        # FTS5 returns negative ranks, so that the best sorts first.
        found = [SearchHit(self.documents[row - 1], -rank / (1 - rank)) for row, rank in rows]
        return [one for one in found if one.score >= cutoff]


class SearchIndexCache:
    """Keeps the `most` search indexes that were used last, by a key that changes with what they contain."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, SearchIndex] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable, build: Callable[[], SearchIndex]) -> SearchIndex:
        """Return the index of a key; `build` makes it if it is not kept, at the same time in several threads."""
        with self._lock:
            found = self._found.get(key)
        found = found or build()
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return found


def search_tool_of(index_id: str) -> str:
    """Return the id of the search tool of an index that has none of its own."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"search-tool/{index_id}"))


def search_indexes(indexes: Iterable[KnowledgeIndex]) -> dict[str, SearchIndex]:
    """Return search indexes by their ids in lower case."""
    return {
        index.id.lower(): SearchIndex(index.documents, index.search_tool(), index.knowledge_base()) for index in indexes
    }


class KnowledgeSearch(NamedTuple):
    """A search of some indexes together: the maximum number of passages, and the minimum score of each."""

    indexes: Sequence[SearchIndex]
    most: int
    cutoff: float


def search_all(searches: Sequence[KnowledgeSearch], question: str) -> list[SearchHit]:
    """Return what all searches find, the best first."""
    return sorted((hit for search in searches for hit in _found(search, question)), key=lambda hit: -hit.score)


def _found(search: KnowledgeSearch, question: str) -> list[SearchHit]:
    """Return the best passages of the indexes of one search."""
    found = [one for index in search.indexes for one in index.search(question, search.most, search.cutoff)]
    return sorted(found, key=lambda one: -one.score)[: search.most]
