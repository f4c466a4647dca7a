"""A token that is planted everywhere shows nowhere."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract_tests.support.commands import CommandResult, environment, verify
from tests.contract_tests.support.servers import Answer, serving

TOKEN = 's3cr+t/Tok=n&with"marks-and-more'
PROXY = "proxy-p4ssword"
SPELLINGS = (
    TOKEN,
    quote(TOKEN, safe=""),
    json.dumps(TOKEN)[1:-1],
    json.dumps(json.dumps(TOKEN))[3:-3],
    TOKEN.encode().hex(),
    b64encode(TOKEN.encode()).decode().rstrip("="),
    b64encode(f"user:{TOKEN}".encode()).decode(),
    PROXY,
)
#: A part of it that an excerpt could keep.
TRACES = (TOKEN[:12], TOKEN[-12:], b64encode(f"user:{TOKEN}".encode()).decode()[8:-4])
CLAUSES = ("--clause=chat.messages-*", "--clause=chat.stream-*", "--clause=chat.validation-*", "--clause=chat.token-*")


def echo(path: str, body: bytes) -> Answer:
    """Repeat the token in whatever a server can repeat it in; an excerpt ends within it."""
    said = " ".join(SPELLINGS)
    headers = {"x-echo": said, "set-cookie": f"session={TOKEN}", "www-authenticate": f'Bearer realm="{TOKEN}"'}
    if b'"stream": true' in body:
        events = f"event: {TOKEN}\nid: {TOKEN}\ndata: {said}\n\n: {TOKEN}\n{TOKEN}\n\ndata: {TOKEN}"
        return 200, {**headers, "content-type": "text/event-stream"}, events.encode()
    filler = "x" * (290 - len(TOKEN) // 2)
    detail = {"detail": [{"loc": [TOKEN], "msg": said}], TOKEN: TOKEN}
    text = f"{filler}{TOKEN}" if b'"messages": []' in body else json.dumps(detail)
    return 400, {**headers, "content-type": "application/json"}, text.encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


@pytest.fixture(scope="module")
def run(folder: Path) -> CommandResult:
    env = environment(
        AGENT_CONTRACT_TOKEN=TOKEN,
        MINE=TOKEN,
        HTTPS_PROXY=f"http://user:{PROXY}@127.0.0.1:9",
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
    )
    files = [f"--report={folder / name}" for name in ("r.html", "r.json", "r.md")]
    with serving(echo) as url:
        return verify(url, "--agent-id=a", "--token", TOKEN, *CLAUSES, *files, f"--report={folder / 'j.xml'}", env=env)


def test_the_run_found_something_to_show(run: CommandResult, folder: Path) -> None:
    assert run.code == 1
    assert run.output.count("failed") > 5
    assert "$AGENT_CONTRACT_TOKEN" in (folder / "r.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["r.html", "r.json", "r.md", "j.xml", "summary.md", "output", "error"])
def test_it_shows_nowhere(name: str, run: CommandResult, folder: Path) -> None:
    texts = {"output": run.output, "error": run.error}
    text = texts[name] if name in texts else (folder / name).read_text(encoding="utf-8")
    folded = "".join(text.split())
    assert [spelling for spelling in (*SPELLINGS, *TRACES) if spelling in text or spelling in folded] == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{PROXY}@127.0.0.1:1/",
        f"http://user:{PROXY}@127.0.0.1:port/",
        f"ftp://user:{PROXY}@host/",
        f"http://host/?token={PROXY}",
        f"user:{PROXY}@host",
    ],
)
def test_a_password_in_the_base_url_is_refused_and_not_repeated(url: str) -> None:
    found = verify(url)
    assert found.code == 2
    assert PROXY not in found.error + found.output


@pytest.mark.parametrize("status", [401, 404, 500, 301])
def test_a_refusal_of_the_first_request_does_not_repeat_it(status: int, tmp_path: Path) -> None:
    def answer(path: str, body: bytes) -> Answer:
        return status, {"location": f"https://elsewhere/?t={TOKEN}"}, TOKEN.encode()

    with serving(answer) as url:
        found = verify(url, "--agent-id=a", "--token", TOKEN, "--report=r.json", "--warmup=0", cwd=tmp_path)
    assert found.code == 2
    assert not any(
        part in found.output + found.error + (tmp_path / "r.json").read_text() for part in (TOKEN, TRACES[0])
    )
