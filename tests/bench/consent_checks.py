"""Peers that ask subject by subject: a policy engine's bulk checks, and look-ups by ORM."""

import time
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from sharing.consent import Action, ConsentEvent, Question, verify
from sharing.records.consents import Consent
from sharing.records.ledger import micros
from tests.bench.consent_ledger import NOW
from tests.bench.report import PeerMissing

AT_ONCE = 1_000
POLICY = """
package consent
import rego.v1

reason(c) := "never_asked" if { not c.action }
else := c.action if { c.action != "given" }
else := "expired" if { c.until <= input.now }
else := "not_explicit" if { c.explicit != "yes" }
else := "old_notice" if { c.notice != "privacy 2" }
else := "jurisdiction" if { not data.allowed[c.jurisdiction] }
else := "covered"

answers := [r | some s in input.subjects; r := reason(data.standing[s])]
"""


class BulkChecks:
    """Open Policy Agent's language in process (regorus), holding what stands for each subject, and
    asked by subject id, a thousand at a time."""

    def __init__(self, rows: Sequence[dict[str, Any]], allowed: Sequence[str]) -> None:
        try:
            import regorus
        except ImportError:
            raise PeerMissing(
                "regorus is not installed: uv sync brings it (the dev group)."
            ) from None
        self._engine = regorus.Engine()
        self._engine.add_policy("consent.rego", POLICY)
        self._engine.add_data(
            {
                "allowed": dict.fromkeys(allowed, True),
                "standing": {row["subject"]: _fact(row) for row in rows},
            }
        )
        self.subjects = [row["subject"] for row in rows]

    def answered(self) -> tuple[list[str], float]:
        """Every subject's answer, and how many were given a second."""
        begin, answers = time.perf_counter(), []
        for start in range(0, len(self.subjects), AT_ONCE):
            page = self.subjects[start : start + AT_ONCE]
            self._engine.set_input({"now": micros(NOW), "subjects": page})
            answers += self._engine.eval_rule("data.consent.answers")
        return answers, len(answers) / (time.perf_counter() - begin)


def _fact(row: dict[str, Any]) -> dict[str, Any]:
    if row["action"] is None:
        return {}
    until = micros(row["valid_until"])
    return {
        "action": row["action"],
        "explicit": "yes" if row["explicit"] else "no",  # its Python binding makes 0 of False
        "notice": row["notice"],
        "until": until,
        "jurisdiction": row["jurisdiction"] or "none",
    }


def looked_up(session: Session, question: Question, subjects: Sequence[str]) -> list[str]:
    """One look-up by ORM for each subject, and the rule over what was found."""
    answers = []
    for subject in subjects:
        rows = session.exec(select(Consent).where(col(Consent.subject) == subject)).all()
        excluded = verify(question, [_event(row) for row in rows], NOW).excluded
        answers.append("covered" if excluded is None else excluded.value)
        session.expunge_all()
    return answers


def _event(row: Consent) -> ConsentEvent:
    return ConsentEvent(
        row.position,
        row.subject,
        row.purpose,
        row.category,
        row.recipient,
        Action(row.action),
        row.explicit,
        row.notice,
        row.notice_version,
        row.at,
        row.valid_until,
        row.method,
        row.jurisdiction,
        row.minor,
    )
