"""What a photo is that cannot be exported, and the bytes that photos come as."""

import mmap

# An object in memory, or one too large for it: a file's pages, mapped to be read.
Buffer = bytes | mmap.mmap
Piece = bytes | memoryview

MOST_PIECES = 65_536  # a photo in more of them was made to fill a memory


class Unreadable(Exception):
    """This object cannot be exported; `detail` is a sentence that says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
