"""How a page travels: compressed for whoever takes that. The calls of the API are left as they are.

A compressed page tells by its length what is in it twice: who makes a browser open pages with their
own words in the address could find out what else is there (BREACH). So the token of forms is masked
anew in each page (`masks`), and a page of a session that another site asks for is sent as it is.
"""

from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

LEAST, LEVEL = 500, 6  # a shorter page is sent in one packet anyway; more effort gains nothing
OWN = frozenset({"same-origin", "none"})  # from a page of ours, or typed


class PublicPage(APIRoute):
    """A page that asks for no session: it says the same to everybody who has its address."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.app = GZipMiddleware(self.app, LEAST, LEVEL)


class OwnPage(APIRoute):
    """A page of somebody's session, or an act of one."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        whole, light = self.app, GZipMiddleware(self.app, LEAST, LEVEL)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            led_by = Headers(scope=scope).get("sec-fetch-site", "none")
            await (light if led_by in OWN else whole)(scope, receive, send)

        self.app = answer
