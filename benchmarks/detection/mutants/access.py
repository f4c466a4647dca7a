"""Mutants: tokens and methods."""

from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from benchmarks.detection.hooks import Refusal, ServerHooks, admit
from benchmarks.detection.mutants.mutant import planting

BASE = ServerHooks(token="a-token-of-the-deployment")
plant = planting("access", BASE)
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
    answer = JSONResponse(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
    return lambda refusal: answer if refusal.kind == "token" else refusal


def only_if_missing(response: Response) -> Any:
    """Return an arrival that answers requests without a token so."""
    return lambda request, body, number: None if "authorization" in request.headers else response


def only_if_wrong(response: Response) -> Any:
    """Return an arrival that answers requests with a wrong token so."""
    right = {"", f"Bearer {BASE.token}"}
    return lambda request, body, number: None if request.headers.get("authorization", "") in right else response


def unchallenged(refusal: Refusal) -> Refusal:
    """Return refusals of tokens without a challenge."""
    return replace(refusal, headers={}) if refusal.kind == "token" else refusal


def on_methods(methods: set[str], response: Response) -> Any:
    """Return an arrival that answers some methods so."""
    return lambda request, body, number: response if request.method in methods else None


OTHERS = {"GET", "PUT", "PATCH", "DELETE"}
CRASH = Response("Internal Server Error", 500, media_type="text/plain")


def put_as_post(app: Any) -> Any:
    """Return an application that takes PUT for POST."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "method": "POST"} if scope.get("method") == "PUT" else scope, receive, send)

    return wrapped


def allow(value: str | None) -> Any:
    """Return an edit of the `Allow` header of a 405."""

    def edit(response: Response, request: Request) -> Response:
        if response.status_code == 405:
            del response.headers["Allow"]
            if value is not None:
                response.headers["Allow"] = value
        return response

    return edit


MUTANTS = (
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
        arrive=only_if_missing(JSONResponse({"detail": "Not Found"}, 404)),
    ),
    plant(
        "token-missing-login-page",
        "token-missing",
        "Answers a request without a token with a login page and 200.",
        arrive=only_if_missing(HTMLResponse("<form>Please log in</form>")),
    ),
    plant(
        "token-missing-422",
        "token-missing",
        "Treats the header as a required parameter: 422.",
        arrive=only_if_missing(
            JSONResponse(
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
        arrive=only_if_wrong(JSONResponse({"detail": "Invalid token"}, 400)),
    ),
    plant(
        "token-wrong-redirect",
        "token-wrong",
        "Sends a wrong token to a login page.",
        arrive=only_if_wrong(RedirectResponse("/login", 302)),
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
        arrive=on_methods({"GET"}, JSONResponse({"status": "ok"})),
    ),
    open_(
        "delete-answered",
        "method-refused",
        "Answers DELETE with 204 and does nothing.",
        arrive=on_methods({"DELETE"}, Response(status_code=204)),
    ),
    open_("put-as-post", "method-refused", "Takes PUT for POST.", wrap=put_as_post),
    open_("other-methods-crash", "method-refused", "Crashes on other methods.", arrive=on_methods(OTHERS, CRASH)),
    open_("405-without-allow", "method-allow", "Its 405 has no `Allow`.", leave=allow(None)),
    open_("405-allows-what-it-refuses", "method-allow", "Its 405 allows GET, which it refuses.", leave=allow("GET")),
)
