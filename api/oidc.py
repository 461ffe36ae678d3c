"""An identity provider, as OpenID Connect has it: where it is, its answer, and who that says it is.

Authorisation code with PKCE (RFC 7636), state and nonce. It only ever says who somebody is; what
they may do here is in our own records.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, MissingClaimError
from joserfc.jwk import KeySet

from sharing.errors import Refused
from sharing.keys import text_of
from sharing.settings import Settings

OUT = "/signed-out"  # where somebody is who has signed out
SCOPE = "openid email profile"
# Signatures by a key that only the provider has: never `none`, never a secret that we share.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
LEEWAY = 60  # seconds by which two clocks may differ
KNOWN_FOR, TIMEOUT = 600.0, 10.0
CLOCK = frozenset({"exp", "iat", "nbf"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt at signing in is recognised by, and when it began (seconds since 1970)."""

    state: str
    nonce: str
    verifier: str
    began: float


@dataclass(slots=True)
class Provider:
    """The provider of the settings. What it says about itself is remembered for ten minutes."""

    settings: Settings
    _about: tuple[float, Claims] = field(default=(0.0, {}))

    @property
    def back(self) -> str:
        """Where it sends people back to."""
        return f"{self.settings.api_url.rstrip('/')}/sign-in/provider/answer"

    async def address(self, attempt: Attempt) -> str:
        """Where somebody signs in; raises Refused `provider_away`, or `sign_in_issuer`."""
        about = await self._metadata()
        made: str = prepare_grant_uri(
            about["authorization_endpoint"],
            self.settings.oidc_client_id,
            "code",
            self.back,
            SCOPE,
            attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return made

    async def way_out(self) -> str | None:
        """Where somebody signs out there too, and is sent back here from; None where it has no such
        place, or cannot be asked: nobody is kept from signing out here."""
        try:
            end = (await self._metadata()).get("end_session_endpoint")
            if not isinstance(end, str) or not end:
                return None
            _safe(end)
        except Refused:
            return None
        home = f"{self.settings.api_url.rstrip('/')}{OUT}"
        said = {"client_id": self.settings.oidc_client_id, "post_logout_redirect_uri": home}
        return f"{end}{'&' if urlsplit(end).query else '?'}{urlencode(said)}"

    async def claims(self, code: str, attempt: Attempt) -> Claims:
        """What it says of who brought this code; raises Refused where its word does not hold."""
        about = await self._metadata()
        given = await self._exchanged(about, code, attempt)
        keys = await self._asked("GET", about["jwks_uri"])
        claims = self._verified(given, keys, attempt.nonce)
        wanted, more = {self.settings.oidc_claim}, about.get("userinfo_endpoint")
        if wanted == {"email"}:
            wanted.add("email_verified")
        if wanted <= claims.keys() or not more:
            return claims
        bearer = {"Authorization": f"Bearer {given.get('access_token', '')}"}
        told = await self._asked("GET", _safe(more), headers=bearer)
        if told.get("sub") != claims["sub"]:
            raise Refused("sign_in_token", "The provider spoke of two people in one answer.")
        return {**told, **claims}

    async def _metadata(self) -> Claims:
        until, known = self._about
        if until > time.monotonic():
            return known
        issuer = self.settings.oidc_issuer
        _safe(issuer)
        found = await self._asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise Refused("sign_in_issuer", "The provider does not call itself what we call it.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _safe(str(found.get(name, "")))
        self._about = (time.monotonic() + KNOWN_FOR, found)
        return found

    async def _exchanged(self, about: Claims, code: str, attempt: Attempt) -> Claims:
        """The tokens for a code, which can be had once."""
        body = prepare_token_request(
            "authorization_code", "", self.back, code=code, code_verifier=attempt.verifier
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        uri, headers, body = self._known_by(about).prepare(
            "POST", about["token_endpoint"], headers, body
        )
        return await self._asked("POST", uri, headers=headers, content=body)

    def _known_by(self, about: Claims) -> ClientAuth:
        """How we say who we are: by the secret in a header, where the provider takes that."""
        client, secret = self.settings.oidc_client_id, text_of(self.settings.oidc_client_secret)
        if not secret:
            return ClientAuth(client, "", "none")
        takes = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = "client_secret_basic" in takes or "client_secret_post" not in takes
        return ClientAuth(client, secret, "client_secret_basic" if basic else "client_secret_post")

    def _verified(self, given: Claims, keys: Claims, nonce: str) -> Claims:
        """The claims of an ID token that this provider signed, for us, for this very attempt."""
        expected = {
            "iss": {"essential": True, "value": self.settings.oidc_issuer},
            "aud": {"essential": True, "value": self.settings.oidc_client_id},
        }
        own: Any = dict(keys)
        beside = {
            "nonce": nonce,
            "client_id": self.settings.oidc_client_id,
            "access_token": given.get("access_token"),
        }
        try:
            known = KeySet.import_key_set(own)
            token = jwt.decode(str(given.get("id_token")), known, list(ALGORITHMS))
            claims = CodeIDToken(token.claims, token.header, expected, beside)
            claims.validate(leeway=LEEWAY)
        except ClaimError as wrong:
            raise _refused(wrong) from wrong
        except (JoseError, ValueError, KeyError, TypeError) as wrong:
            raise Refused("sign_in_token", "The provider's signature does not hold.") from wrong
        return dict(claims)

    async def _asked(self, method: str, address: str, **more: Any) -> Claims:
        """A JSON object of the provider's; raises Refused."""
        try:
            async with httpx2.AsyncClient(timeout=TIMEOUT) as http:
                answer = await http.request(method, address, **more)
            found = dict(json.loads(answer.content))
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, TypeError) as failure:
            raise _away() from failure
        if answer.status_code == 400 and found.get("error") == "invalid_grant":
            raise Refused("sign_in_token", "The provider does not accept what it gave us itself.")
        if answer.status_code != 200:
            raise _away()
        return found


def _refused(wrong: ClaimError) -> Refused:
    absent = isinstance(wrong, MissingClaimError)
    if isinstance(wrong, ExpiredTokenError) or (wrong.claim in CLOCK and not absent):
        return Refused(
            "sign_in_clock",
            "By our clock, what the provider said is of another time: too old, or of the future.",
        )
    if wrong.claim == "iss":
        return Refused("sign_in_issuer", "Another provider answered than the one that was asked.")
    return Refused("sign_in_token", f"The provider's answer is not one to us: {wrong.claim}.")


def _away() -> Refused:
    return Refused("provider_away", "The sign-in provider gives no usable answer just now.")


def _safe(address: str) -> str:
    """The address, if nobody on the way can read or change what goes there; raises Refused."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return address
    raise Refused("provider_away", "An address of the sign-in provider is not https://.")
