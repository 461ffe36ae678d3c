"""`clearance receipt verify`: checks a consent receipt offline, with nothing but the public key."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from api.commands.telling import out, show_json, tell_broken
from sharing.keys import public_key
from sharing.settings import Settings


def verify(
    file: Path,
    /,
    *,
    key: str,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Check that a consent receipt was signed by this key, and that not a byte of it was changed.

    Parameters
    ----------
    file
        The receipt, as GET /v1/me/receipts/{position} gave it.
    key
        The public key: base64 as at GET /v1/keys (`receipt`), or a file that holds it.
    json
        Answer with JSON.
    """
    from sharing.export.envelope import BadEnvelope
    from sharing.receipt import opened

    Settings.from_environment()  # needs none; a misspelt one is refused here too
    trusted = public_key(Path(key).read_text().strip() if Path(key).is_file() else key)
    try:
        content = opened(file.read_bytes(), trusted)
    except BadEnvelope as broken:
        return tell_broken("receipt_broken", broken, json=json)
    show_json({"ok": True, "receipt": content}) if json else _show(file, content)
    return 0


def _show(file: Path, content: dict[str, Any]) -> None:
    console, record = out(), content["dpv:hasRecordOfActivity"]
    process, notice = record["dpv:hasProcess"], record["dpv:hasNotice"]
    console.print(f"{file} holds, as of {content['dct:created']}.", markup=False)
    lines = (
        f"subject {record['dpv:hasDataSubject']}, controller {record['dpv:hasDataController']}",
        f"{process['dpv:hasPurpose']} of {process['dpv:hasPersonalData']}"
        f" by {process['dpv:hasRecipient']['dct:title']}",
        f"notice {notice['dct:title']} {notice['dct:hasVersion']}",
        *(
            f"{status['@type'].removeprefix('dpv:Consent').lower()} at"
            f" {status['dpv:isIndicatedAtTime']}"
            for status in record["dpv:hasConsentStatus"]
        ),
    )
    for line in lines:
        console.print(f"  {line}", markup=False)
