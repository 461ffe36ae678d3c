"""What a package is that does not hold."""

from sharing.export.paths import shown


class PackageBroken(Exception):
    """A package that does not hold; `path` is the first thing at fault, inside the package."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(f"{shown(path)}: {detail}")
        self.path = path
        self.detail = detail
