"""Colour profiles: kept whole in every format, and without whatever hides behind their end."""

_HEADER = 128  # bytes
LARGEST = 16 * 1024 * 1024  # bytes; those of printers reach a few MB


def own_length(profile: bytes | memoryview) -> int:
    """How many of these bytes are an ICC profile, by its own header; 0 where they are none."""
    size = int.from_bytes(profile[:4], "big")
    if size < _HEADER or size > len(profile) or size > LARGEST or profile[36:40] != b"acsp":
        return 0
    return size
