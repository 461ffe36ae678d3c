"""Receipts over HTTP and at the command line: one's own, as of their time, verified offline."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli import run
from sharing.keys import public_key
from sharing.receipt import opened
from sharing.records.tables import rfc3339
from tests.api.world import World


async def key_of(world: World) -> str:
    """The public key for receipts, as everybody can read it."""
    keys = (await world.get("", "/v1/keys")).json()["keys"]
    return next(str(one["key"]) for one in keys if one["purpose"] == "receipt")


async def events(world: World) -> list[Any]:
    """What the first subject said."""
    items: list[Any] = (await world.get("subject", "/v1/me/consents")).json()["items"]
    return items


async def kept(world: World, path: str) -> tuple[bytes, Any]:
    """The receipt at a path: its bytes, and the record in it."""
    answer = await world.get("subject", path)
    assert answer.status_code == 200, answer.text
    told = opened(answer.content, public_key(await key_of(world)))
    return answer.content, told["dpv:hasRecordOfActivity"]


async def test_a_subject_keeps_a_receipt_of_what_it_said(there: World) -> None:
    """The receipt names the event as the ledger has it, and verifies by the published key."""
    [event] = await events(there)
    _, record = await kept(there, event["receipt"])
    assert record["dpv:hasDataSubject"] == "s0"
    assert record["dpv:hasProcess"]["dpv:hasPurpose"] == event["purpose"]
    assert record["dpv:hasProcess"]["dpv:hasPersonalData"] == event["category"]
    assert record["clearance:position"] == event["position"]
    assert record["clearance:source"] == event["source"]
    notices = (await there.get("subject", "/v1/me/consents")).json()["notices"]
    assert record["dpv:hasNotice"]["clearance:sha256"] == notices[0]["text_sha256"]
    [status] = record["dpv:hasConsentStatus"]
    assert status["@type"] == "dpv:ConsentGiven"


async def test_a_receipt_says_what_had_ended_when_it_was_issued(there: World) -> None:
    """One from before a withdrawal says given; one from after it says withdrawn too, and when."""
    [event] = await events(there)
    _, before = await kept(there, event["receipt"])
    await there.post("subject", "/v1/me/withdrawals", {})
    withdrawal = (await events(there))[-1]
    _, after = await kept(there, event["receipt"])
    assert before["dct:identifier"] == after["dct:identifier"]
    assert [s["@type"] for s in before["dpv:hasConsentStatus"]] == ["dpv:ConsentGiven"]
    assert after["dpv:hasConsentStatus"][1] == {
        "@type": "dpv:ConsentWithdrawn",
        "dpv:isIndicatedBy": "dpv:DataSubject",
        "dpv:isIndicatedAtTime": withdrawal["at"],
        "clearance:position": withdrawal["position"],
    }
    _, own = await kept(there, withdrawal["receipt"])
    assert own["dpv:hasConsentStatus"] == after["dpv:hasConsentStatus"][1:]


async def test_a_yes_after_a_no_has_a_receipt_of_its_own(here: World) -> None:
    """What was ended stays ended in its receipt; the new yes stands in another."""
    [first] = await events(here)
    await here.post("subject", "/v1/me/withdrawals", {})
    matter = {name: first[name] for name in ("purpose", "category", "recipient", "notice")}
    yes = {**matter, "version": first["notice_version"]}
    again = (await here.post("subject", "/v1/me/consents", yes)).json()
    _, old = await kept(here, first["receipt"])
    _, new = await kept(here, again["receipt"])
    assert [len(r["dpv:hasConsentStatus"]) for r in (old, new)] == [2, 1]


async def test_another_time_is_told_in_the_receipt_as_in_the_ledger(here: World) -> None:
    """The event's time in a receipt is the ledger's, to the microsecond."""
    from sharing.records.consents import Consent

    [event] = await events(here)
    row = await here.database.read(lambda s: s.get_one(Consent, event["position"]))
    _, record = await kept(here, event["receipt"])
    assert record["dpv:hasConsentStatus"][0]["dpv:isIndicatedAtTime"] == rfc3339(row.at)


@pytest.mark.parametrize("position", ["0", "999999", "-1", "1e3", "x", "9" * 40, "01"])
async def test_anothers_receipt_is_as_good_as_absent(here: World, position: str) -> None:
    """Another subject's event is the same 404 as one that does not exist, and as nonsense."""
    [event] = await events(here)
    real = await here.get("subject1", event["receipt"])
    absent = await here.get("subject1", f"/v1/me/receipts/{position}")
    assert real.status_code == absent.status_code == 404
    assert real.json()["detail"].replace(str(event["position"]), "X") == absent.json()[
        "detail"
    ].replace(position, "X")


async def test_the_command_line_verifies_a_receipt_offline(
    here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`receipt verify` leaves with 0 for a receipt as it came, and with 1 for any other."""
    [event] = await events(here)
    envelope, _ = await kept(here, event["receipt"])
    file, key = tmp_path / "receipt.json", await key_of(here)
    file.write_bytes(envelope)
    assert run(["receipt", "verify", str(file), "--key", key]) == 0
    assert "given at" in capsys.readouterr().out
    assert run(["receipt", "verify", str(file), "--key", key, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    other = next(k["key"] for k in (await here.get("", "/v1/keys")).json()["keys"])
    assert run(["receipt", "verify", str(file), "--key", other]) == 1
    file.write_bytes(envelope.replace(b'"payload":"e', b'"payload":"f', 1))
    assert run(["receipt", "verify", str(file), "--key", key, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["code"]) == (False, "receipt_broken")
    assert run(["receipt", "verify", str(file), "--key", "nonsense"]) == 2
