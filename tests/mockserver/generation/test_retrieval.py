"""Retrieval: indexes, search, and the passages in answers."""

from __future__ import annotations

import gc
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_contract.messages import Request
from mockserver.config import Config
from mockserver.generation.retrieval import KnowledgeDocument, KnowledgeIndex, SearchIndex
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.agents import LIBRARY, by_address, configured_agent
from tests.mockserver.support.chat_client import ChatClient, engine

ID = "11111111-1111-4111-8111-111111111111"
LOANS, FEES, HOURS, EVENTS = LIBRARY.documents
QUESTION = "How long may I keep a borrowed book?"


def texts(*texts: str) -> SearchIndex:
    return SearchIndex([KnowledgeDocument(f"{number}", text) for number, text in enumerate(texts)])


def found(index: SearchIndex, question: str, most: int = 10, cutoff: float = 0.0) -> list[str]:
    return [one.document.id for one in index.search(question, most, cutoff)]


def asking(*indexes: KnowledgeIndex, documents: tuple[KnowledgeDocument, ...] = (), **fields: Any) -> ChatClient:
    """Return a mock with one agent, `it`, of these fields, and these indexes."""
    agent = configured_agent(ID, "it", documents=documents, **fields)
    return ChatClient(engine(replace(Config(), agents=by_address([agent]), indexes=indexes or (LIBRARY,))))


def context(ask: ChatClient, question: str = QUESTION) -> list[str] | None:
    """Return the origins of the passages that an answer of `it` lists."""
    passages = ask.answer(question, agent="it").get("index_context_info")
    return passages and [one["metadata"]["origin_name"] for one in passages]


def test_what_has_more_and_rarer_words_of_the_question_comes_first() -> None:
    index = texts("The cat sleeps.", "The cat and the heron.", "The dog barks.", "The cat runs.")
    assert found(index, "Where is the heron and the cat?")[0] == "1"
    assert found(index, "heron") == ["1"]
    assert found(index, "nothing of that kind") == []


def test_words_are_found_by_their_stems_whatever_their_case() -> None:
    assert found(texts("Borrowing of BOOKS.", "Else."), "borrowed book") == ["0"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_scores_lie_between_nought_and_one_in_small_indexes_too(count: int) -> None:
    index = texts(*["The heron stands in the water."] * count)
    scores = [one.score for one in index.search("Where does a heron stand?", 10)]
    assert len(scores) == count
    assert all(0.05 < score < 1 for score in scores)


def test_equal_passages_come_in_their_order_and_no_more_than_wanted() -> None:
    assert found(texts(*["heron"] * 5), "heron", most=3) == ["0", "1", "2"]


def test_a_cutoff_leaves_out_what_fits_less() -> None:
    index = texts("heron and crane", "a long text in which a heron stands and many other things do", "else", "more")
    best, second = index.search("heron crane", 10)
    assert found(index, "heron crane", cutoff=second.score) == ["0", "1"]
    assert found(index, "heron crane", cutoff=(best.score + second.score) / 2) == ["0"]
    assert found(index, "heron crane", cutoff=1) == []


def test_an_empty_index_and_an_empty_question_find_nothing() -> None:
    assert found(texts(), "heron") == []
    assert found(texts("heron"), "") == []
    assert found(texts("heron"), "?!") == []


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_any_text_can_be_known_and_asked_for(text: str, question: str) -> None:
    texts(text).search(question, 10)


def test_a_long_question_is_searched_by_its_first_words() -> None:
    assert found(texts("heron"), "heron " + " ".join(f"word{number}" for number in range(5_000))) == ["0"]


def test_threads_search_together() -> None:
    index = texts(*(f"the {number} heron{number}" for number in range(50)))
    with ThreadPoolExecutor(8) as pool:
        hits = list(pool.map(lambda number: found(index, f"heron{number}"), range(50)))
    assert hits == [[f"{number}"] for number in range(50)]


def test_a_deleted_index_leaves_no_open_connection() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        texts("heron").search("heron", 1)
        gc.collect()


def test_an_agent_answers_from_the_index_that_it_names() -> None:
    ask = asking(index_id=LIBRARY.id)
    answer = ask.answer(QUESTION, agent="it")
    assert context(ask) == ["loans.txt", "fees.txt"]
    assert LOANS.text in answer["choices"][0]["message"]["content"]
    (first, *_) = answer["index_context_info"]
    assert first["text"] == LOANS.text
    assert first["metadata"].keys() == {"document_id", "score", "origin_name", "media_type", "origin_ref"}


@pytest.mark.parametrize("link_type", ["GENERIC_MCP_TOOL_LINK", "PAIS_KNOWLEDGE_BASE_INDEX_SEARCH_TOOL_LINK"])
def test_an_agent_answers_from_the_index_whose_search_tool_it_is_linked_to(link_type: str) -> None:
    ask = asking(tools=[{"link_type": link_type, "tool_id": LIBRARY.search_tool().upper()}])
    assert context(ask) == ["loans.txt", "fees.txt"]


def test_a_link_to_the_index_itself_is_not_a_link_to_its_search_tool() -> None:
    ask = asking(tools=[{"link_type": "GENERIC_MCP_TOOL_LINK", "tool_id": LIBRARY.id}])
    assert context(ask) is None


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({"top_n": 1}, ["loans.txt"]),
        ({"top_n": None}, ["loans.txt", "fees.txt"]),
        ({"top_n": -1}, []),
        ({"similarity_cutoff": 0.7}, ["loans.txt"]),
        ({"top_n": 5, "similarity_cutoff": 0.99}, []),
    ],
)
def test_a_link_has_limits_of_its_own(limits: dict[str, Any], names: list[str]) -> None:
    link = {"link_type": "PAIS_KNOWLEDGE_BASE_INDEX_SEARCH_TOOL_LINK", "tool_id": LIBRARY.search_tool(), **limits}
    assert context(asking(tools=[link], index_top_n=2)) == names


def test_an_index_with_two_links_is_searched_once() -> None:
    link = {"link_type": "GENERIC_MCP_TOOL_LINK", "tool_id": LIBRARY.search_tool()}
    assert context(asking(index_id=LIBRARY.id, tools=[link, link])) == ["loans.txt", "fees.txt"]


def test_an_agent_answers_from_all_that_it_is_bound_to_the_best_first() -> None:
    other = KnowledgeIndex(
        "2" + ID[1:], "other", (KnowledgeDocument(ID, "A borrowed book: keep it long.", "other.txt"),)
    )
    own = KnowledgeDocument(ID, "A book.", "own.txt")
    ask = asking(
        LIBRARY,
        other,
        documents=(own,),
        index_id=LIBRARY.id,
        tools=[{"link_type": "x", "tool_id": other.search_tool()}],
        index_top_n=10,
    )
    assert set(context(ask) or ()) == {"other.txt", "own.txt", "loans.txt", "fees.txt"}
    scores = [one["metadata"]["score"] for one in ask.answer(QUESTION, agent="it")["index_context_info"]]
    assert scores == sorted(scores, reverse=True)


def test_an_agent_that_a_client_creates_answers_from_the_index_that_it_names() -> None:
    ask = asking()
    path = "/api/v1/compatibility/openai/v1/agents"
    body = json.dumps({"model": "m", "index_id": LIBRARY.id, "index_top_n": 1}).encode()
    created = json.loads(
        ask.engine.reply(Request("POST", path, (), {"content-type": "application/json"}, body)).content()
    )
    answer = ask.answer(QUESTION, agent=created["id"])
    assert [one["text"] for one in answer["index_context_info"]] == [LOANS.text]


@pytest.mark.parametrize("fields", [{}, {"index_id": None}, {"index_id": "00000000-0000-4000-8000-0000000000ff"}])
def test_an_agent_without_an_index_returns_no_passages(fields: dict[str, Any]) -> None:
    assert "index_context_info" not in asking(**fields).answer(QUESTION, agent="it")


def test_where_nothing_fits_that_is_said() -> None:
    ask = asking(index_id=LIBRARY.id)
    assert context(ask, "Xylophone!") == []
    assert "documents" not in ask.content("Xylophone!", agent="it")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ["loans.txt", "fees.txt"]),
        ({"index_top_n": 1}, ["loans.txt"]),
        ({"index_top_n": 2**53}, ["loans.txt", "fees.txt"]),
        ({"index_similarity_cutoff": 0.7}, ["loans.txt"]),
        ({"index_similarity_cutoff": 0.99}, []),
        ({"index_similarity_cutoff": -1}, ["loans.txt", "fees.txt"]),
    ],
)
def test_how_many_and_how_good_passages_an_agent_wants(fields: dict[str, Any], names: list[str]) -> None:
    assert context(asking(index_id=LIBRARY.id, **fields)) == names


@pytest.mark.parametrize(
    ("fields", "passages"),
    [
        ({}, [LOANS.text, FEES.text]),
        ({"index_reference_format": "structured"}, [LOANS.text, FEES.text]),
        ({"index_reference_format": "", "index_reference_delimiter": " --- "}, [LOANS.text, FEES.text]),
        ({"index_reference_format": "{text}" * 41_000}, [LOANS.text, FEES.text]),
        ({"index_top_n": 1}, [LOANS.text]),
    ],
)
def test_passages_count_in_the_prompt_in_every_reference_format(fields: dict[str, Any], passages: list[str]) -> None:
    with_knowledge = asking(index_id=LIBRARY.id, **fields).answer(QUESTION, agent="it")["usage"]["prompt_tokens"]
    without = asking().answer(QUESTION, agent="it")["usage"]["prompt_tokens"]
    assert with_knowledge - without == sum(map(count_tokens, passages))


@pytest.mark.parametrize("form", ["structured", "{text}", "[{origin_name}]"])
def test_references_are_returned_in_the_context_in_every_format(form: str) -> None:
    plain, formed = asking(index_id=LIBRARY.id), asking(index_id=LIBRARY.id, index_reference_format=form)
    assert formed.answer(QUESTION, agent="it") == plain.answer(QUESTION, agent="it")


def test_the_search_tool_of_an_index_and_its_knowledge_base_have_ids_of_their_own() -> None:
    declared = KnowledgeIndex(ID, "a", (), "A" + ID[1:], "B" + ID[1:])
    assert (declared.search_tool(), declared.knowledge_base()) == ("a" + ID[1:], "b" + ID[1:])
    assert len({LIBRARY.id, LIBRARY.search_tool(), LIBRARY.knowledge_base()}) == 3
