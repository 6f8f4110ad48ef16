"""Serial numbers of 32 bits, which wrap around (RFC 1982): transfers and deliveries are counted with them."""

MASK = 0xFFFFFFFF


def ahead(first: int, second: int) -> int:
    """How far `first` is ahead of `second`; negative when it is behind."""
    distance = (first - second) & MASK
    return distance if distance <= MASK >> 1 else distance - MASK - 1
