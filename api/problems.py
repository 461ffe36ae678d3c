"""Errors as application/problem+json (RFC 9457): one table from code to status, nothing else."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.suggest import close_field
from sharing.errors import CoolingOff, FieldError, NotEligible, Refused
from sharing.records.database import StorageFailed
from sharing.records.tables import rfc3339
from workflows.client import EngineUnreachable

log = logging.getLogger(__name__)

# Code: HTTP status, title. A code that is not here is a conflict with how things stand.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "invalid_json": (400, "The body is not JSON"),
    "unauthenticated": (401, "Nobody is signed in"),
    "forbidden": (403, "This role may not do that"),
    "not_eligible": (403, "This person may not act on this request"),
    "cross_site": (403, "The call came from another site"),
    "link_expired": (403, "The link is no longer valid"),
    "wrong_signature": (403, "Not signed by a key of this partner"),
    "sign_in_denied": (403, "You were not signed in"),
    "sign_in_expired": (403, "Signing in took too long"),
    "sign_in_forged": (403, "This sign-in was not begun here"),
    "sign_in_issuer": (403, "Another provider answered"),
    "sign_in_token": (403, "The provider's answer does not hold"),
    "sign_in_clock": (403, "Two clocks do not agree"),
    "sign_in_unknown": (403, "Nobody here is known as you"),
    "sign_in_unverified": (403, "Your address is not made sure of"),
    "sign_in_no_role": (403, "You have no role here"),
    "no_provider": (404, "There is no sign-in provider here"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "wrong_stage": (409, "The request waits at another stage"),
    "stale_digest": (409, "The request has changed"),
    "already_decided": (409, "Already decided"),
    "cooling_off": (409, "It is too soon"),
    "too_late": (409, "The deadline has passed"),
    "not_cleared": (409, "Not cleared"),
    "key_retired": (409, "This key signs nothing any more"),
    "not_indexed": (409, "The dataset has no index"),
    "not_released": (409, "Nothing was released"),
    "not_served_here": (409, "The package lies where this server has no access"),
    "link_used": (409, "The link was used"),
    "sign_in_replayed": (409, "This sign-in was used already"),
    "export_live": (409, "An export is under way"),
    "wrong_state": (409, "Not possible in this state"),
    "exists": (409, "It exists already"),
    "claimed": (409, "Somebody else has it in hand"),
    "delegation_chain": (409, "A delegation goes one step and no further"),
    "storage_conflict": (409, "The database's own rules refused it"),
    "stale_order": (409, "Ordered too long ago"),
    "four_eyes": (403, "Another person has to do it"),
    "forged_order": (403, "The order was not signed"),
    "body_too_large": (413, "The body is too large"),
    "unsupported_media_type": (415, "Unsupported content type"),
    "range_not_satisfiable": (416, "The file has no such part"),
    "invalid_body": (422, "Some fields cannot be accepted"),
    "limit_reached": (429, "As many as there may be"),
    "idempotency_mismatch": (422, "The idempotency key was used for something else"),
    "internal_error": (500, "Something broke here"),
    "storage_failed": (503, "The database cannot be used now"),
    "store_away": (503, "The store of the packages does not answer"),
    "provider_away": (503, "The sign-in provider cannot be used"),
    "engine_unreachable": (503, "The workflow engine cannot be reached"),
}
_HTTP_CODES = {400: "invalid_json", 404: "not_found", 405: "method_not_allowed"}
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address exists, but not for this method.",
    400: "The body could not be read as JSON.",
}

_PLAIN_WORDS = {
    "model_attributes_type": "must be a JSON object.",
    "model_type": "must be a JSON object.",
    "dict_type": "must be a JSON object.",
    "tuple_type": "must be a JSON list.",
    "list_type": "must be a JSON list.",
    "string_type": "must be text.",
    "string_unicode": "must be text that is valid Unicode.",
    "int_type": "must be a whole number.",
    "int_from_float": "must be a whole number.",
    "bool_type": "must be true or false.",
    "timezone_aware": "must have a time zone, as in 2024-05-31T12:00:00Z.",
}

SHOULD = re.compile(r"^[A-Z]\w+ should ")
MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")  # how Python writes a choice

# What a broken or misspelt body answers: no attempt at a change, so nothing for the audit log.
MALFORMED = frozenset(
    {"invalid_json", "invalid_body", "body_too_large", "unsupported_media_type", "unauthenticated"}
)


def problem(
    code: str,
    detail: str,
    errors: Sequence[FieldError] = (),
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    **more: str,
) -> Response:
    """An answer that says what is wrong and what to do; `more` are further members."""
    known, title = PROBLEMS.get(code, (409, "Not possible now"))
    body: dict[str, Any] = {
        "type": f"urn:clearance:problem:{code}",
        "title": title,
        "status": status or known,
        "detail": detail,
        "code": code,
        **more,
    }
    if errors:
        body["errors"] = [{"path": e.path, "message": e.message} for e in errors]
    return Response(
        to_json(body),
        status or known,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


def told(failure: Exception, body_model: Any = None) -> Response:
    """The answer for anything that was raised. What nobody foresaw is logged, never shown."""
    match failure:
        case NotEligible() | CoolingOff():
            return _with_more(failure)
        case Refused(code="unauthenticated"):
            challenge = {"WWW-Authenticate": 'Bearer realm="clearance"'}
            return problem(failure.code, failure.detail, headers=challenge)
        case Refused():
            return problem(failure.code, failure.detail, failure.errors)
        case RequestValidationError():
            return _malformed(failure, body_model)
        case EngineUnreachable():
            return problem(
                "engine_unreachable",
                "The workflow engine gave no answer, so what you sent may still be done: look "
                "before you send it again, or use the same Idempotency-Key, which is safe.",
                headers={"Retry-After": "2"},
            )
        case StorageFailed():
            log.error("storage failed: %s", _first_line(failure))
            return problem(
                "storage_failed",
                "Nothing was changed: the database could not do it. Try again in a moment.",
                headers={"Retry-After": "2"},
            )
        case DBAPIError() | PoolTimeout():
            log.error("the database cannot be read: %s", _first_line(failure))
            return problem(
                "storage_failed",
                "The database cannot be read. Try again in a moment.",
                headers={"Retry-After": "2"},
            )
        case ClientDisconnect():
            return problem("invalid_json", "The caller went away before the body was complete.")
        case HTTPException():
            return of_http(failure)
    log.error("unforeseen", exc_info=failure)
    return problem("internal_error", "This is a fault in Clearance. Nothing was answered as done.")


def _with_more(refused: NotEligible | CoolingOff) -> Response:
    """With what programs need to know of a refusal beside its code."""
    if isinstance(refused, CoolingOff):
        return problem(refused.code, refused.detail, until=rfc3339(refused.until))
    return problem(refused.code, refused.detail, why=refused.why)


def of_http(failure: HTTPException) -> Response:
    """The framework's own refusals, in the same form."""
    code = _HTTP_CODES.get(failure.status_code, f"http_{failure.status_code}")
    detail = _DETAILS.get(failure.status_code, str(failure.detail))
    return problem(code, detail, status=failure.status_code, headers=failure.headers)


def _malformed(failure: RequestValidationError, body_model: Any) -> Response:
    found = failure.errors()
    if found and found[0]["type"] == "json_invalid":
        where = found[0]["loc"][-1]
        return problem(
            "invalid_json", f"Not JSON at character {where}: {found[0]['ctx']['error']}."
        )
    errors = tuple(_field_error(error, body_model) for error in found)
    return problem("invalid_body", " ".join(f"{e.path}: {e.message}" for e in errors), errors)


def field_errors(invalid: ValidationError, body_model: Any) -> tuple[FieldError, ...]:
    """What is wrong with a body, in the words in which the API refuses it."""
    return tuple(
        _field_error({**error, "loc": ("body", *error["loc"])}, body_model)
        for error in invalid.errors()
    )


def line_error(invalid: ValidationError, line_model: Any) -> str:
    """The first thing that is wrong with a line of many, by the field's name."""
    error = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
    path = ".".join(str(part) for part in error["loc"]) or "line"
    return f"{path}: {_message({**error, 'loc': ('line', *error['loc'])}, line_model)}"


def _field_error(error: Mapping[str, Any], body_model: Any) -> FieldError:
    path = [str(part) for part in error["loc"][1:]]
    return FieldError(".".join(path) or "body", _message(error, body_model))


def _message(error: Mapping[str, Any], body_model: Any) -> str:
    if error["type"] == "missing":
        return "is required." if len(error["loc"]) > 1 else "a JSON object is required."
    if error["type"] in _PLAIN_WORDS:
        return _PLAIN_WORDS[error["type"]]
    if error["type"] == "extra_forbidden":
        close = close_field(body_model, error["loc"][1:])
        return f"is not known. Did you mean {close!r}?" if close else "is not known: leave it out."
    text = in_our_words(error["msg"])
    return text if text.endswith((".", "?")) else text + "."


def in_our_words(message: str) -> str:
    """What pydantic says of a field, in the form of all our other refusals: `must be ...`."""
    return MEMBER.sub(r"\1", SHOULD.sub("must ", message.removeprefix("Value error, ")))


def _first_line(failure: Exception) -> str:
    """Without the lines behind it, in which databases repeat the values of the row."""
    return (str(failure).splitlines() or [""])[0]
