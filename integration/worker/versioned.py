"""Idempotency-Keys of what carries a row version."""


def versioned(key: str, version: int) -> str:
    """`key` for a request that names the row's `version`.

    An attempt after one whose answer was lost may find the row moved on by something that does not matter: what it
    sends is then another request, which under the same key would be refused.
    """
    return f"{key}:{version}"
