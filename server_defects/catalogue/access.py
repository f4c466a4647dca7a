"""Tokens and methods."""

from dataclasses import replace
from typing import Any

from agent_contract.messages import Headers, Reply, Request
from server_defects.defect import planting
from server_defects.hooks import Refusal, admit
from server_defects.replies import empty_reply, json_reply, page_reply, text_reply

TOKEN = "a-token-of-the-deployment"
plant = planting("access", token=TOKEN)
open_ = planting("access")


def without_a_token_only(request: Request, token: str) -> None:
    """Admit requests that carry no token at all."""
    if "authorization" in request.headers:
        admit(request, token)


def any_token(request: Request, token: str) -> None:
    """Admit whatever token a request carries."""
    if not request.headers.get("authorization", "").startswith("Bearer "):
        admit(request, token)


def any_header(request: Request, token: str) -> None:
    """Admit whatever a request carries under the name."""
    if "authorization" not in request.headers:
        admit(request, token)


def as_status(status: int, body: Any, **headers: str) -> Any:
    """Return an edit of the refusal of tokens alone."""
    answer = json_reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
    return lambda refusal: answer if refusal.kind == "token" else refusal


def only_if_missing(response: Reply) -> Any:
    """Return an arrival that answers requests without a token so."""
    return lambda request, body, number: None if "authorization" in request.headers else response


def only_if_wrong(response: Reply) -> Any:
    """Return an arrival that answers requests with a wrong token so."""
    right = {"", f"Bearer {TOKEN}"}
    return lambda request, body, number: None if request.headers.get("authorization", "") in right else response


def unchallenged(refusal: Refusal) -> Refusal:
    """Return refusals of tokens without a challenge."""
    return replace(refusal, headers={}) if refusal.kind == "token" else refusal


def on_methods(methods: set[str], response: Reply) -> Any:
    """Return an arrival that answers some methods so."""
    return lambda request, body, number: response if request.method in methods else None


OTHERS = {"GET", "PUT", "PATCH", "DELETE"}
CRASH = text_reply("Internal Server Error", 500)


def allow(value: str | None) -> Any:
    """Return an edit of the `Allow` header of a 405."""

    def edit(status: int, headers: Headers, request: Request) -> Headers:
        if status != 405:
            return headers
        kept = {name: given for name, given in headers.items() if name != "allow"}
        return kept if value is None else {**kept, "allow": value}

    return edit


DEFECTS = (
    plant("token-missing-accepted", "token-missing", "Checks a token only if one is sent.", admit=without_a_token_only),
    plant(
        "token-missing-crash",
        "token-missing",
        "Crashes if the header is missing.",
        arrive=only_if_missing(CRASH),
    ),
    plant(
        "token-missing-404",
        "token-missing",
        "Hides its agents from requests without a token: 404.",
        arrive=only_if_missing(json_reply({"detail": "Not Found"}, 404)),
    ),
    plant(
        "token-missing-login-page",
        "token-missing",
        "Answers a request without a token with a login page and 200.",
        arrive=only_if_missing(page_reply("<form>Please log in</form>")),
    ),
    plant(
        "token-missing-422",
        "token-missing",
        "Treats the header as a required parameter: 422.",
        arrive=only_if_missing(
            json_reply(
                {"detail": [{"type": "missing", "loc": ["header", "authorization"], "msg": "Field required"}]}, 422
            )
        ),
    ),
    plant("token-any-accepted", "token-wrong", "Accepts every bearer token.", admit=any_token),
    plant("token-header-present", "token-wrong", "Accepts any value in the header.", admit=any_header),
    plant("token-wrong-crash", "token-wrong", "Crashes if a token can't be decoded.", arrive=only_if_wrong(CRASH)),
    plant(
        "token-wrong-400",
        "token-wrong",
        "Refuses a wrong token with 400.",
        arrive=only_if_wrong(json_reply({"detail": "Invalid token"}, 400)),
    ),
    plant(
        "token-wrong-redirect",
        "token-wrong",
        "Sends a wrong token to a login page.",
        arrive=only_if_wrong(empty_reply(302, {"location": "/login"})),
    ),
    plant("token-unchallenged", "token-challenge", "Its 401 has no `WWW-Authenticate`.", refuse=unchallenged),
    plant(
        "token-challenge-empty",
        "token-challenge",
        "Its 401 has an empty `WWW-Authenticate`.",
        refuse=as_status(401, {"detail": "Bearer token required"}, WWW_Authenticate=""),
    ),
    open_(
        "get-answered",
        "method-refused",
        "Answers GET with a word on its health.",
        arrive=on_methods({"GET"}, json_reply({"status": "ok"})),
    ),
    open_(
        "delete-answered",
        "method-refused",
        "Answers DELETE with 204 and does nothing.",
        arrive=on_methods({"DELETE"}, empty_reply(204)),
    ),
    open_("other-methods-crash", "method-refused", "Crashes on other methods.", arrive=on_methods(OTHERS, CRASH)),
    open_("405-without-allow", "method-allow", "Its 405 has no `Allow`.", leave=allow(None)),
    open_("405-allows-what-it-refuses", "method-allow", "Its 405 allows GET, which it refuses.", leave=allow("GET")),
)
