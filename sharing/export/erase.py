"""Erases what was staged and will not be released: cancelled, failed, or withdrawn in time."""

from pathlib import Path

from sharing.export.destination import erase_tree, sync_folder, writing_to


def erase(staging: Path) -> int:
    """Erases the folder and all in it; returns how many files there were, 0 if it was gone.

    Raises DestinationFailed if something could not be erased; calling it again goes on.
    """
    with writing_to(staging):
        files = erase_tree(staging)
        if staging.parent.is_dir():
            sync_folder(staging.parent)
    return files
