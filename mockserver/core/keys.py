"""Keys of the store: every key is built and parsed here.

Keys of agents, sessions and the journal are relative to a scope; `scope` returns the prefix that makes them absolute.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, unquote

#: Prefixes inside a scope, and the log of its journal.
AGENTS = "agent/"
SESSIONS = "session/"
JOURNAL = "journal/"
RESOURCES = "resource"
RESOURCE_COUNTS = "resource-count"
#: Prefixes of the control plane inside a scope; the other prefixes contain the id of an index.
KNOWLEDGE_BASES = "knowledge-base/"
INDEXES = "index/"
SEARCH_TOOLS = "search-tool/"
#: The keys of a scope's rules and faults, and of how often each was used.
SCRIPT = "script"
SCRIPT_USES = "script-uses"
#: The key of how often each recorded request was replayed in a scope.
REPLAY_USES = "replay-uses"
#: The key of a scope's clock, once a test controls it.
CLOCK = "clock"
#: Prefix of the contents of all scopes, and prefix of the time of their last use.
SCOPES = "scope/"
REGISTER = "scopes/"
#: The log that counts the processes that have drawn ids.
STARTS = "server/starts"

_LAST = "\N{DELETE}"  # sorts after every character of an id


def resources(path: str) -> str:
    """Return the prefix of the keys of the items of a collection, which a document's path names."""
    return f"{RESOURCES}{path}//"


def resource(path: str, id: str) -> str:
    """Return the key of an item of a collection."""
    return resources(path) + id


def below_resource(path: str, id: str) -> str:
    """Return the prefix of the keys of everything in collections below an item."""
    return f"{RESOURCES}{path}/{quote(id, safe='')}/"


def resource_count(path: str) -> str:
    """Return the key of the number of items that a collection ever had."""
    return RESOURCE_COUNTS + path


def agent(id: str) -> str:
    """Return the key of an agent."""
    return AGENTS + id


def agent_id(key: str) -> str:
    """Return the agent's id in a key that `agent` returned."""
    return key.removeprefix(AGENTS)


def control_resource(prefix: str, id: str) -> str:
    """Return the key of a resource of the control plane; `prefix` is that of all resources in its list."""
    return prefix + id


def documents(index_id: str) -> str:
    """Return the prefix of the keys of an index's documents."""
    return f"document/{index_id}/"


def indexings(index_id: str) -> str:
    """Return the prefix of the keys of an index's indexings."""
    return f"indexing/{index_id}/"


def newest_indexing(index_id: str) -> str:
    """Return the key of the id of an index's newest indexing, which every upload and every indexing writes."""
    return f"newest-indexing/{index_id}"


def document_text(index_id: str, id: str) -> str:
    """Return the key of the text of a document."""
    return document_texts(index_id) + id


def document_texts(index_id: str) -> str:
    """Return the prefix of the keys of the contents of an index's documents."""
    return f"document-text/{index_id}/"


def search_tool(id: str) -> str:
    """Return the key of the id of the index that a search tool searches."""
    return SEARCH_TOOLS + id


def sessions(agent_id: str) -> str:
    """Return the prefix of the keys of an agent's sessions."""
    return f"{SESSIONS}{agent_id}/"


def after_sessions(agent_id: str) -> str:
    """Return a string that sorts after all keys of an agent's sessions and before those of the next agent."""
    return sessions(agent_id) + _LAST


def session(agent_id: str, id: str) -> str:
    """Return the key of a session."""
    return sessions(agent_id) + id.lower()


def session_ids(key: str) -> tuple[str, str]:
    """Return the agent's id and the session's own in a key that `session` returned."""
    agent, _, id = key.removeprefix(SESSIONS).partition("/")
    return agent, id


def session_cursor(key: str) -> str:
    """Return the cursor that continues a list of sessions after this key."""
    return key.removeprefix(SESSIONS)


def after_session(cursor: str) -> str:
    """Return the key of a cursor that `session_cursor` returned; empty for an empty cursor."""
    return SESSIONS + cursor if cursor else ""


@lru_cache(maxsize=1024)
def scope(name: str) -> str:
    """Return the prefix of everything in a scope; it is not a prefix of any other scope's prefix."""
    return f"{SCOPES}{quote(name, safe='')}/"


def registered(name: str) -> str:
    """Return the key of the time when a scope was last used."""
    return f"{REGISTER}{quote(name, safe='')}/"


def scope_name(key: str) -> str:
    """Return the scope's name in a key that `registered` returned."""
    return unquote(key.removeprefix(REGISTER).rstrip("/"))
