"""Whether a form was sent from a page of the console itself: other sites must not act in somebody's name.

Browsers say in `Sec-Fetch-Site` where a request comes from, and no page can set it (w3.org, Fetch Metadata Request
Headers). Older ones send `Origin` with a form.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from integration.errors import Rejected


def check_form(headers: Mapping[str, str], own: str) -> None:
    """Raise `Rejected` (403) unless the form comes from `own`, the address of the app; header names in lower case."""
    if not _is_own(headers, own, unsaid=False):
        raise _refused()


def check_call(headers: Mapping[str, str], own: str) -> None:
    """The same for a call to the API by somebody whom the platform has signed in; programs say neither header."""
    if not _is_own(headers, own, unsaid=True):
        raise _refused()


def _is_own(headers: Mapping[str, str], own: str, *, unsaid: bool) -> bool:
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site:
        return site.lower() == "same-origin"
    if origin:
        return _parts(origin) == _parts(own)
    return unsaid


def _parts(address: str) -> tuple[str, str]:
    found = urlsplit(address)
    return found.scheme.lower(), found.netloc.lower()


def _refused() -> Rejected:
    return Rejected(
        403,
        "The form does not come from this page",
        "Another site may have tried to act in your name, and nothing was done. Open the page here and send it again.",
        reason="request-forged",
    )
