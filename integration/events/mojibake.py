"""Text that Dataverse sent encoded twice: UTF-8 read as Windows-1252 and encoded once more.

Seen in captures of webhooks whose service endpoint has no `messagecharset`; text that is meant to look like this would
be changed too, so the repair is a setting.
"""

_PASSES = 2  # one capture went through it twice
_TO_BYTES = {
    ord(bytes([byte]).decode("cp1252")): byte for byte in range(0x80, 0xA0) if byte not in b"\x81\x8d\x8f\x90\x9d"
}


def repair(text: str) -> str:
    """`text` as it was meant; unchanged if it was not encoded twice."""
    for _ in range(_PASSES):
        if text.isascii():
            break
        try:
            text = text.translate(_TO_BYTES).encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    return text
