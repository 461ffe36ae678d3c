"""What the database knows of erasing: how much there was before, and that nothing was found
afterwards."""

from collections.abc import Mapping

from sharing.errors import NotYet
from sharing.export.erase import Found
from sharing.export.runs import EXPORTER, UNTIMED
from sharing.records import exports, pulses
from sharing.records.tables import now
from sharing.records.unit import Unit


def begun(unit: Unit, export_id: str, found: Found) -> None:
    """So much is about to be erased. Remembered first: an attempt that dies half-way leaves less to
    be counted by the next one."""
    export = exports.get(unit.session, export_id, hold=True)
    if export.erased_at is not None:
        return  # the proof stands as it was logged
    export.erased_files = max(export.erased_files or 0, found.files)
    export.erased_bytes = max(export.erased_bytes or 0, found.bytes)


def done(unit: Unit, export_id: str, left: Found, spent: Mapping[str, int] = UNTIMED) -> None:
    """What an export left in staging is gone: it was looked for, and nothing was found. `spent`:
    microseconds by stage."""
    if left.files:
        raise NotYet(
            "destination_failed", f"{left.files} files are in staging still: erased again."
        )
    export = exports.get(unit.session, export_id, hold=True)
    pulses.forget(unit.session, export_id)
    if export.erased_at is not None:
        return
    export.erased_at = now()
    exports.spend(export, spent)
    unit.audit(
        EXPORTER,
        "export.erased",
        export.request_id,
        export=export_id,
        files=export.erased_files,
        bytes=export.erased_bytes,
        found_afterwards=left.files,
    )
