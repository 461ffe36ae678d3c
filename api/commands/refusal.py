"""A refusal as JSON: the last line of stdout where a command was asked for JSON and did nothing."""

from api.http_client import ApiProblem, Json, Unreachable
from api.told import Told, WrongUsage
from sharing.errors import Refused
from sharing.keys import KeyProblem
from sharing.settings import SettingsError


def refusal(problem: Exception) -> Json:
    """What went wrong: `ok` is false, `code` is for programs, `detail` for people. What the API
    refused keeps all its members."""
    match problem:
        case ApiProblem():
            found = {"status": problem.status, "code": problem.code, "detail": problem.detail}
            return {"ok": False, **found, **problem.told}
        case Refused():
            errors = [{"path": e.path, "message": e.message} for e in problem.errors]
            return _problem(problem.code, problem.detail) | ({"errors": errors} if errors else {})
        case Unreachable():
            return _problem("unreachable", str(problem))
        case SettingsError() | KeyProblem() | WrongUsage():
            return _problem("wrong_usage", str(problem))
        case Told():
            return _problem("failed", str(problem))
        case OSError():
            name = problem.filename or "The machine"
            return _problem("failed", f"{name}: {problem.strerror or problem}")
    return _unforeseen(problem)


def _unforeseen(problem: Exception) -> Json:
    from sharing.records.database import StorageFailed  # slow to load, and seldom needed

    if isinstance(problem, StorageFailed):
        return _problem("storage_failed", str(problem))
    return _problem("internal_error", "This is a fault in Clearance, not in what you asked.")


def _problem(code: str, detail: str) -> Json:
    return {"ok": False, "code": code, "detail": detail}
