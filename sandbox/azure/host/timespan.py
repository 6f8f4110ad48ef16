"""Durations as .NET writes them in host.json: `[d.]hh:mm:ss[.fffffff]`."""

import re

from sandbox.azure.host.errors import HostStartError

_PATTERN = re.compile(r"(-)?(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?")


def seconds(text: str) -> float:
    """`text` in seconds; raises `HostStartError` when it is not a TimeSpan."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise HostStartError(f"'{text}' is not a duration: write hh:mm:ss, or d.hh:mm:ss")
    sign, days, hours, minutes, whole, fraction = match.groups(default="0")
    total = int(days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + int(whole) + float(f"0.{fraction}")
    return -total if sign == "-" else total
