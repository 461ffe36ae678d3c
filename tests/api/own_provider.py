"""An identity provider of our own, over real HTTP, that can be made to lie in every part."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.pages.provider import COOKIE
from sharing.settings import Settings
from tests.api.served import served
from tests.api.visitor import Visitor
from tests.api.world import World

CLIENT, SECRET = "clearance", "a shared secret of two"
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "a"})


@dataclass(slots=True)
class OwnProvider:
    """`claims` are laid over what it says truly (None leaves one out); `lies` name what else is
    wrong: `other_key`, `none`, `shared`, `issuer`, `away`, `no_end`, `plain_end`."""

    address: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    lies: set[str] = field(default_factory=set)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    homes: set[str] = field(default_factory=set)

    def app(self) -> FastAPI:
        """What it serves."""
        app = FastAPI(openapi_url=None)
        app.add_api_route("/.well-known/openid-configuration", self._about)
        app.add_api_route("/token", self._token, methods=["POST"])
        app.add_api_route("/jwks", self._keys)
        app.add_api_route("/end", self._end)
        return app

    def code(self, address: str) -> tuple[str, str]:
        """Somebody signs in there: the code, and the state to go back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_hex(8)
        self.asked[code] = query
        return code, query["state"]

    async def _about(self) -> Response:
        if "away" in self.lies:
            return Response("closed", 503)
        issuer = "http://localhost:1" if "issuer" in self.lies else self.address
        end = "http://provider.test/end" if "plain_end" in self.lies else f"{self.address}/end"
        return JSONResponse({
            **({} if "no_end" in self.lies else {"end_session_endpoint": end}),
            "issuer": issuer,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
        })  # fmt: skip

    async def _end(self, request: Request) -> Response:
        """Signs somebody out, and sends them back to where our client said that it is."""
        given = request.query_params
        back = given.get("post_logout_redirect_uri", "")
        if given.get("client_id") != CLIENT or back not in self.homes:
            return Response("not one of ours", 400)
        return RedirectResponse(back, 303)

    async def _keys(self) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def _token(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        self.headers.append(request.headers.get("authorization", ""))
        asked = self.asked.pop(form.get("code", ""), None)
        proof = create_s256_code_challenge(form.get("code_verifier", ""))
        if asked is None or proof != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "at", "id_token": self._signed(asked)})

    def _signed(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        true = {"iss": self.address, "aud": CLIENT, "sub": "u1", "iat": now, "exp": now + 300,
                "nonce": asked["nonce"], "email": "purpose_reviewer@example.org",
                "email_verified": True}  # fmt: skip
        claims = {
            name: value for name, value in {**true, **self.claims}.items() if value is not None
        }
        if "none" in self.lies:
            return jwt.encode({"alg": "none"}, claims, OctKey.import_key("x" * 32), ["none"])
        if "shared" in self.lies:
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), ["HS256"])
        key = OTHER if "other_key" in self.lies else KEY
        return jwt.encode({"alg": "RS256", "kid": "a"}, claims, key)


@dataclass(slots=True)
class Coming:
    """Somebody on the way in, at a server that has this provider."""

    world: World
    provider: OwnProvider
    http: httpx2.AsyncClient
    cookie: str = ""

    async def begin(self) -> str:
        """Off to the provider: where one is sent."""
        answer = await self.http.get("/sign-in/provider")
        assert answer.status_code == 303, answer.text
        self.cookie = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]
        self.http.cookies.clear()
        return str(answer.headers["location"])

    async def answer(self, **query: str) -> httpx2.Response:
        """Back from the provider, with the cookie that began it."""
        kept = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        answer = await self.http.get("/sign-in/provider/answer", params=query, headers=kept)
        self.http.cookies.clear()
        return answer

    async def come(self) -> httpx2.Response:
        """The whole way there and back."""
        code, state = self.provider.code(await self.begin())
        return await self.answer(code=code, state=state)

    def visitor(self) -> Visitor:
        """The same browser at our pages."""
        return Visitor(self.http)


def use(world: World, **settings: Any) -> Settings:
    """Has the world's application go by other settings from now on."""
    backend = world.app.state.backend
    changed: Settings = replace(backend.settings, **settings)
    world.app.state.backend = replace(backend, settings=changed)
    return changed


@asynccontextmanager
async def coming(world: World) -> AsyncIterator[Coming]:
    """A server of the world's application that has a provider of ours, over real HTTP."""
    provider = OwnProvider()
    async with served(provider.app()) as there, served(world.app) as http:
        provider.address = str(there.base_url).rstrip("/")
        use(
            world,
            oidc_issuer=provider.address,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            api_url=str(http.base_url).rstrip("/"),
        )
        provider.homes = {f"{http.base_url}".rstrip("/") + "/signed-out"}
        yield Coming(world, provider, http)
