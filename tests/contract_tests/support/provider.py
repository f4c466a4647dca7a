"""A small OIDC provider: it publishes its metadata, and issues tokens that are valid for a number of requests."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from agent_contract.messages import Request as Received
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.running import by_uvicorn
from server_defects.hooks import Refusal

CLIENT, SECRET = "judge", "the-secret-of-the-client"
USER, PASSWORD = "user", "the-password-of-the-user"


@dataclass
class Provider:
    """What it gives: each token is good for `life` requests; and what it was asked for."""

    life: int = 1_000_000
    refreshes: bool = False
    closed_after: int = 1_000_000  #: the number of tokens that it issues
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    grants: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    url: str = ""
    issuer: str = ""

    def grant(self, form: dict[str, str], client: tuple[str, str]) -> tuple[int, dict[str, object]]:
        """Return the status and the answer for a form, and the client with its secret."""
        self.forms.append(form)
        self.grants.append(form["grant_type"])
        right = {
            "client_credentials": client == (CLIENT, SECRET),
            "password": (form.get("username"), form.get("password")) == (USER, PASSWORD),
            "refresh_token": form.get("refresh_token") == "refresh-me-if-you-can",
        }
        if not right.get(form["grant_type"]) or len(self.tokens) >= self.closed_after:
            return 400, {"error": "invalid_grant", "error_description": "no token for you"}
        token = f"the-access-token-{len(self.tokens)}"
        self.tokens[token] = self.life
        more = {"refresh_token": "refresh-me-if-you-can"} if self.refreshes else {}
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more}

    def admit(self, request: Received, token: str) -> None:
        """Refuse a request whose token was not given, or is used up."""
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(name, 0) <= 0:
            raise Refusal("token", 401, "invalid token", headers={"WWW-Authenticate": "Bearer"})
        self.tokens[name] -= 1

    @property
    def hooks(self) -> ServerHooks:
        """A deployment that takes this provider's tokens."""
        return ServerHooks(token="whatever the provider gave", admit=self.admit)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve the provider; yield its issuer."""
        app = FastAPI(openapi_url=None)

        @app.get("/realm/.well-known/openid-configuration")
        def configuration() -> dict[str, object]:
            return {
                "issuer": self.issuer or f"{self.url}/realm",
                "token_endpoint": f"{self.url}/token",
                "token_endpoint_auth_methods_supported": self.methods,
            }

        @app.post("/token")
        async def token(request: Request) -> JSONResponse:
            form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            scheme, _, code = request.headers.get("authorization", "").partition(" ")
            basic = b64decode(code).decode().partition(":") if scheme == "Basic" else None
            shown = (unquote(basic[0]), unquote(basic[2])) if basic else None
            status, answer = self.grant(form, shown or (form.get("client_id", ""), form.get("client_secret", "")))
            return JSONResponse(answer, status)

        with by_uvicorn(app, ServerHooks()) as self.url:
            yield f"{self.url}/realm"
