"""The one kind of tar member that a shard has: a plain file, owned by nobody, from 1970.

Headers are built from a template, so that a shard depends on nothing but its objects, and so that
`verify` can compare them whole instead of parsing what a stranger wrote."""

BLOCK = 512
END = bytes(2 * BLOCK)
LARGEST_MEMBER = 8**11 - 1  # bytes: eleven octal digits

_BEFORE_SIZE = b"0000644\x00" + b"0000000\x00" * 2
_AFTER_SIZE = b"\x00" + b"0" * 11 + b"\x00"
_AFTER_SUM = (
    b"\x00 0" + bytes(100) + b"ustar\x0000" + bytes(64) + b"0000000\x00" * 2 + bytes(155 + 12)
)
# A header's sum counts its own eight bytes as spaces.
_FIXED_SUM = sum(_BEFORE_SIZE) + sum(_AFTER_SIZE) + sum(b" " * 8) + sum(_AFTER_SUM) - 0x20
_PADDING = [bytes(-size % BLOCK) for size in range(BLOCK)]


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member. `name` is ASCII, at most 100 characters; `size` in bytes."""
    encoded = name.encode("ascii")
    if not 0 < len(encoded) <= 100 or not 0 <= size <= LARGEST_MEMBER:
        raise ValueError(f"No ustar member can be named {name!r} and hold {size} bytes.")
    digits = b"%011o" % size
    total = _FIXED_SUM + sum(encoded) + sum(digits)
    return b"".join(
        (
            encoded.ljust(100, b"\x00"),
            _BEFORE_SIZE,
            digits,
            _AFTER_SIZE,
            b"%06o" % total,
            _AFTER_SUM,
        )
    )


def padding(size: int) -> bytes:
    """The zeros that fill a member of `size` bytes up to whole blocks."""
    return _PADDING[size % BLOCK]
