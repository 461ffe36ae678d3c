"""Agreements over HTTP: read beforehand, accepted, added to, signed, and bound by the decision."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sharing.keys import public_text
from sharing.records import acceptance_links
from sharing.records.acceptance_links import AcceptanceLink
from sharing.records.requests import Gate, Request
from sharing.records.tables import now
from sharing.records.unit import Unit
from sharing.stages import GATES
from tests.api.world import World, request_body

TERM = {
    "kind": "duty",
    "action": "report",
    "text": "report what was found out",
    "due": {"every_days": 90},
}


async def at_legal(world: World, **changes: Any) -> dict[str, Any]:
    """A request that waits for counsel."""
    view = await world.submitted(**changes)
    for stage in GATES[:-1]:
        assert (await world.decide(view, stage)).status_code == 201
    return await world.seen(view, state="legal_approval")


async def agreed(world: World, view: dict[str, Any], who: str = "partner") -> dict[str, Any]:
    """The request's agreement as somebody sees it."""
    answer = await world.get(who, f"/v1/requests/{view['id']}/agreement")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def added(world: World, view: dict[str, Any], **changes: Any) -> Any:
    """Counsel adds a term."""
    path = f"/v1/requests/{view['id']}/agreement/terms"
    return await world.post("legal_counsel", path, {**TERM, **changes})


async def signatory(world: World, partner: str = "") -> Ed25519PrivateKey:
    """The key of a signatory, registered by an admin."""
    key = Ed25519PrivateKey.generate()
    body = {"key": public_text(key), "signatory": "Dara Okonkwo"}
    answer = await world.post("admin", f"/v1/partners/{partner or world.partner}/keys", body)
    assert answer.status_code == 201, answer.text
    return key


def signed(key: Ed25519PrivateKey, agreement: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The acceptance of an agreement by a key."""
    signature = base64.b64encode(key.sign(agreement["to_sign"].encode())).decode()
    return {"digest": agreement["digest"], "signature": signature, **changes}


async def accepted(world: World, view: dict[str, Any], body: dict[str, Any]) -> Any:
    """The partner sends an acceptance."""
    return await world.post("partner", f"/v1/requests/{view['id']}/agreement/acceptance", body)


async def waiting_for_partner(world: World) -> dict[str, Any]:
    """A request whose agreement has one more term, and was approved with it."""
    view = await at_legal(world)
    assert (await added(world, view)).status_code == 201
    assert (await world.decide(view, "legal_approval")).status_code == 201
    return await world.seen(view, state="legal_approval")


async def test_a_partner_reads_the_agreement_before_it_asks(here: World) -> None:
    """The preview has text and digest of the agreement that the request is under afterwards."""
    preview = (await here.post("partner", "/v1/agreements/preview", request_body())).json()
    agreement = await agreed(here, await here.submitted())
    assert preview["digest"] == agreement["digest"]
    assert preview["text"] == agreement["text"]
    assert "Acme Ltd" in preview["text"]


async def test_the_request_accepts_the_unaltered_template(here: World) -> None:
    """By default the plain flow clears, and the evidence names the partner's signed order."""
    view = await here.cleared()
    agreement = await agreed(here, view, "auditor")
    acceptance = agreement["acceptance"]
    assert acceptance["method"] == "submission"
    assert acceptance["digest"] == agreement["digest"]
    assert acceptance["evidence"]["client"] == here.partner
    assert acceptance["evidence"]["order"].startswith("ord_")
    told = [entry["type"] for entry in view["timeline"]]
    assert told.index("agreement.accepted") < told.index("request.cleared")


async def test_an_added_term_makes_a_version_and_voids_nothing(here: World) -> None:
    """One more term is another digest; the decisions before it stay, and the difference shows."""
    view = await at_legal(here)
    before = await agreed(here, view)
    answer = await added(here, view)
    assert answer.status_code == 201, answer.text
    after = await agreed(here, view)
    assert after["version"] == 2
    assert after["digest"] != before["digest"]
    assert [term["action"] for term in after["differences"]] == ["report"]
    assert after["text"].endswith("1. The recipient must: report what was found out")
    assert not after["accepted"]
    seen = await here.seen(view, state="legal_approval")
    assert seen["digest"] == view["digest"]
    assert not any(d["void"] for stage in seen["stages"] for d in stage["decisions"])


async def test_a_partner_never_learns_who_added_a_term(here: World) -> None:
    """The partner sees the version that counsel made without counsel's id."""
    view = await at_legal(here)
    await added(here, view)
    shown = await here.get("partner", f"/v1/requests/{view['id']}/agreement")
    assert here.people["legal_counsel"] not in shown.text
    assert here.people["legal_counsel"] in str((await agreed(here, view, "auditor"))["versions"])


async def test_after_an_added_term_the_partner_is_waited_for(here: World) -> None:
    """Counsel approved and the partner did not: no clearance, and it says for whom it waits."""
    view = await waiting_for_partner(here)
    assert view["waiting_for"]["stage"] == "legal_approval"
    assert view["waiting_for"]["roles"] == ["partner"]
    assert view["waiting_for"]["until"] == view["stages"][3]["until"]
    export = await here.post(
        "engineer", f"/v1/requests/{view['id']}/exports", {"digest": view["digest"]}
    )
    assert export.json()["code"] == "not_cleared"
    reviews = (await here.get("legal_counsel", "/v1/reviews")).json()
    assert reviews["items"] == []


async def test_a_signature_that_comes_last_clears(here: World) -> None:
    """The partner's yes after counsel's seals the clearance in its own transaction."""
    view, key = await waiting_for_partner(here), await signatory(here)
    answer = await accepted(here, view, signed(key, await agreed(here, view)))
    assert answer.status_code == 201, answer.text
    assert answer.json()["acceptance"]["signatory"] == "Dara Okonkwo"
    cleared = await here.seen(view, state="cleared")
    told = [entry["type"] for entry in cleared["timeline"]]
    assert told[-2:] == ["agreement.accepted", "request.cleared"]


async def test_a_signature_may_come_first(here: World) -> None:
    """The partner accepts the new version before counsel approves it; the approval clears."""
    view, key = await at_legal(here), await signatory(here)
    await added(here, view)
    assert (await accepted(here, view, signed(key, await agreed(here, view)))).status_code == 201
    await here.seen(view, state="legal_approval")
    assert (await here.decide(view, "legal_approval")).status_code == 201
    await here.seen(view, state="cleared")


async def test_an_older_version_is_not_accepted(here: World) -> None:
    """A signature of the version before is refused by name, changes nothing, and is in the log."""
    view, key = await at_legal(here), await signatory(here)
    older = await agreed(here, view)
    await added(here, view)
    answer = await accepted(here, view, signed(key, older))
    assert (answer.status_code, answer.json()["code"]) == (409, "stale_digest")
    assert not (await agreed(here, view))["accepted"]
    last = (await here.audit())[-1]
    assert last["action"] == "refused.agreements.accept"
    assert last["detail"] == {"code": "stale_digest"}


@pytest.mark.parametrize(
    "flaw", ["other_key", "other_partner", "revoked", "other_request", "noise"]
)
async def test_only_a_registered_key_accepts(there: World, flaw: str) -> None:
    """A key of nobody, of another partner, an ended one, and a signature that was made for another
    request with the very same agreement are refused by name."""
    view = await waiting_for_partner(there)
    agreement = await agreed(there, view)
    key = await signatory(there, there.other if flaw == "other_partner" else "")
    body = signed(key, agreement)
    if flaw == "other_key":
        body = signed(Ed25519PrivateKey.generate(), agreement)
    elif flaw == "revoked":
        keys = (await there.get("admin", f"/v1/partners/{there.partner}/keys")).json()["items"]
        path = f"/v1/partners/{there.partner}/keys/{keys[-1]['id']}/revoke"
        assert (await there.post("admin", path)).json()["revoked_at"] is not None
    elif flaw == "other_request":
        other = await waiting_for_partner(there)
        twin = await agreed(there, other)
        assert twin["digest"] == agreement["digest"]
        body = signed(key, twin)
    elif flaw == "noise":
        body["signature"] = "not base64!"
    answer = await accepted(there, view, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_signature")
    await there.seen(view, state="legal_approval")
    assert (await there.audit())[-1]["action"] == "refused.agreements.accept"


async def test_accepted_once(here: World) -> None:
    """A second acceptance of one version is refused; the same key repeats the first answer."""
    view, key = await at_legal(here), await signatory(here)
    await added(here, view)
    body = signed(key, await agreed(here, view))
    path = f"/v1/requests/{view['id']}/agreement/acceptance"
    first = await here.post("partner", path, body, key="k")
    again = await here.post("partner", path, body, key="k")
    assert first.status_code == again.status_code == 201
    assert first.json()["acceptance"] == again.json()["acceptance"]
    assert (await accepted(here, view, body)).json()["code"] == "already_decided"


async def test_a_key_is_registered_once(here: World) -> None:
    """No key stands for two signatories or two partners, and what is no key is refused."""
    key = public_text(Ed25519PrivateKey.generate())
    for partner, code in ((here.partner, 201), (here.other, 409)):
        path = f"/v1/partners/{partner}/keys"
        answer = await here.post("admin", path, {"key": key, "signatory": "D"})
        assert answer.status_code == code
    for bad in ("", "x", base64.b64encode(b"short").decode()):
        body = {"key": bad, "signatory": "D"}
        answer = await here.post("admin", f"/v1/partners/{here.partner}/keys", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["path"] == "key"
    other = await here.get("other", f"/v1/partners/{here.partner}/keys")
    assert other.status_code == 404


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"due": None}, "due"),
        ({"due": {}}, "due"),
        ({"due": {"within_days": 1, "every_days": 2}}, "due"),
        ({"kind": "prohibition"}, "due"),
        ({"kind": "permission", "action": "re_identify", "due": None}, "action"),
        ({"kind": "prohibition", "action": "train_models", "due": None}, "action"),
        ({"action": "Do It"}, "action"),
        ({"kind": "hint"}, "kind"),
    ],
)
async def test_a_term_that_cannot_stand(shared: World, changes: dict[str, Any], path: str) -> None:
    """A duty without a date, a date without a duty, and what contradicts the agreement are told
    with the field."""
    view = await at_legal(shared)
    answer = await added(shared, view, **changes)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == path
    assert (await agreed(shared, view))["version"] == 1


async def test_terms_are_added_at_the_legal_gate_only(here: World) -> None:
    """Before the gate is open, after an approval and to an older version nothing is added."""
    early = await here.submitted()
    assert (await added(here, early)).json()["code"] == "wrong_stage"
    view = await at_legal(here)
    older = (await agreed(here, view))["digest"]
    assert (await added(here, view)).status_code == 201
    assert (await added(here, view, agreement_digest=older)).json()["code"] == "stale_digest"
    await here.decide(view, "legal_approval")
    assert (await added(here, view)).json()["code"] in ("already_decided", "not_eligible")
    assert (await agreed(here, view))["version"] == 2


async def test_a_decision_binds_the_version_that_was_read(here: World) -> None:
    """An approval that names an older version is refused; one that names the current one stands."""
    view = await at_legal(here)
    older = (await agreed(here, view))["digest"]
    await added(here, view)
    stale = await here.decide(view, "legal_approval", agreement_digest=older)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_digest")
    current = (await agreed(here, view))["digest"]
    taken = await here.decide(view, "legal_approval", agreement_digest=current)
    assert taken.status_code == 201
    assert taken.json()["stages"][3]["decisions"][0]["agreement_digest"] == current


async def link(world: World, view: dict[str, Any], **changes: Any) -> str:
    """The path of a new link for a signatory."""
    body = {"name": "Dara Okonkwo", "email": "dara@example.org", **changes}
    answer = await world.post("legal_counsel", f"/v1/requests/{view['id']}/agreement/links", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).removeprefix("https://clearance.test")


async def pressed(world: World, path: str, digest: str) -> Any:
    """Somebody without a token presses the button."""
    return await world.call("", "POST", path, content=f"digest={digest}")


async def test_a_link_shows_the_agreement_and_accepts_it_once(here: World) -> None:
    """Who has the link reads the text and accepts; a second time is refused by name."""
    view = await waiting_for_partner(here)
    path, agreement = await link(here, view), await agreed(here, view)
    page = await here.get("", path)
    assert page.status_code == 200
    assert agreement["digest"] in page.text
    assert "report what was found out" in page.text
    done = await pressed(here, path, agreement["digest"])
    assert done.status_code == 200
    assert "Accepted" in done.text
    await here.seen(view, state="cleared")
    acceptance = (await agreed(here, view, "auditor"))["acceptance"]
    assert acceptance["method"] == "link"
    assert acceptance["signatory"] == "Dara Okonkwo"
    assert set(acceptance["evidence"]) == {"text_sha256", "agent_sha256"}
    again = await pressed(here, path, agreement["digest"])
    assert again.status_code == 409
    assert "was used" in again.text
    assert (await here.get("", path)).status_code == 409


async def test_a_link_that_cannot_be_used(here: World) -> None:
    """A link that ran out, one for an older version, one that nobody made, and a form with another
    digest accept nothing."""
    view = await at_legal(here)
    older = await link(here, view) if not (await agreed(here, view))["accepted"] else ""
    await added(here, view)
    path, digest = await link(here, view), (await agreed(here, view))["digest"]
    assert older == ""  # what the request accepted already needs no link
    assert (await pressed(here, path, "0" * 64)).status_code == 409
    assert (await here.audit())[-1]["detail"]["code"] == "stale_digest"
    await added(here, view, action="visit", text="let us visit")
    stale = await pressed(here, path, digest)
    assert stale.status_code == 409
    assert "current version" in stale.text
    late = await link(here, view)

    def run_out(unit: Unit) -> None:
        row = acceptance_links.opened(unit.session, late.rpartition("/")[2])
        unit.session.get_one(AcceptanceLink, row.id).expires_at = now()

    await here.database.write(run_out)
    assert (await here.get("", late)).status_code == 403
    assert (await pressed(here, late, digest)).status_code == 403
    assert (await here.get("", "/agreement/guess")).status_code == 404
    await here.seen(view, state="legal_approval")


async def test_a_link_is_stored_as_a_hash(here: World) -> None:
    """The secret that opens a link is nowhere in the database's row of it."""
    view = await waiting_for_partner(here)
    secret = (await link(here, view)).rpartition("/")[2]
    row = await here.database.read(lambda s: acceptance_links.opened(s, secret))
    assert secret not in str(row.model_dump())


async def test_too_late(here: World) -> None:
    """At the gate's deadline nobody accepts or adds anything any more."""
    view, key = await waiting_for_partner(here), await signatory(here)

    def past(unit: Unit) -> None:
        gate = unit.session.get_one(Gate, (view["id"], view["digest"], "legal_approval"))
        gate.until = unit.session.get_one(Request, view["id"]).waiting_until = now()

    await here.database.write(past)
    answer = await accepted(here, view, signed(key, await agreed(here, view)))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
    assert (await added(here, view)).json()["code"] in ("too_late", "not_eligible")


async def test_due_dates_show_after_delivery(here: World) -> None:
    """Duties have dates once the data was delivered, and none before."""
    view = await here.cleared()
    assert (await agreed(here, view))["due"] == []

    def deliver(unit: Unit) -> None:
        row = unit.session.get_one(Request, view["id"])
        row.state, row.ended_at = "delivered", now()

    await here.database.write(deliver)
    due = {one["action"]: one["at"] for one in (await agreed(here, view))["due"]}
    assert set(due) == {"erase", "attest_erasure", "attest"}


async def test_a_broken_promise_is_answered(here: World) -> None:
    """Over a promise that the request breaks counsel approves with a word on it, never without."""
    notice = {
        "name": "old", "version": "1", "text": "We give your photos to nobody.",
        "purposes": ["dpv:ServiceProvision"], "categories": ["pd:ProfilePicture"],
        "promises": ["no_third_parties"], "in_force_until": "2013-12-31",
    }  # fmt: skip
    made = await here.post("admin", "/v1/notices", notice)
    assert made.json()["promises"] == ["no_third_parties"]
    view = await at_legal(here)
    found = {f["check"]: f for f in view["stages"][3]["findings"]}
    assert found["privacy_promise"]["result"] == "violation"
    bare = await here.decide(view, "legal_approval")
    assert bare.status_code == 422
    assert bare.json()["errors"][0]["path"] == "answers.privacy_promise"
    words = {"privacy_promise": "Everybody who is in it said yes to this partner since."}
    taken = await here.decide(view, "legal_approval", answers=words)
    assert taken.status_code == 201, taken.text
    assert taken.json()["stages"][3]["decisions"][0]["answers"] == words
    await here.seen(view, state="cleared")


async def test_a_promise_that_was_over_says_nothing(here: World) -> None:
    """Photos that were taken after a promise had ended do not break it."""
    notice = {
        "name": "old", "version": "1", "text": "We give your photos to nobody.",
        "purposes": ["dpv:ServiceProvision"], "categories": ["pd:ProfilePicture"],
        "promises": ["no_third_parties"], "in_force_until": "2013-12-31",
    }  # fmt: skip
    await here.post("admin", "/v1/notices", notice)
    scope = {"fields": ["photo"], "where": {"taken_after": "2014-01-01"}, "limit": 10}
    view = await at_legal(here, scope=scope)
    found = {f["check"]: f["result"] for f in view["stages"][3]["findings"]}
    assert found["privacy_promise"] == "compliant"


async def test_days_in_the_wrong_order(shared: World) -> None:
    """A notice that ends before it begins is refused with the field."""
    notice = {
        "name": "odd", "version": "1", "text": "x", "purposes": ["dpv:ServiceProvision"],
        "categories": ["pd:Picture"], "in_force_from": "2014-01-01", "in_force_until": "2013-01-01",
    }  # fmt: skip
    answer = await shared.post("admin", "/v1/notices", notice)
    assert answer.json()["errors"][0]["path"] == "in_force_until"
