"""The form of a request and of its answer: versions of OData, media types, and how much metadata an answer has.

The statuses are those of HTTP and of "OData Version 4.0, Part 1"; Dataverse's own words for them are not published.
"""

import re

from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.errors import ODataError, bad_request, not_simulated

_CODE = "0x80060888"
_JSON = frozenset({"application/json", "application/*", "*/*"})
_METADATA = re.compile(r"odata\.metadata\s*=\s*(\w+)")


def check_form(call: Call) -> None:
    """Refuses other versions than 4.0, bodies that are not JSON, and answers that are neither JSON nor minimal."""
    version, newest = call.headers.get("OData-Version", "4.0"), call.headers.get("OData-MaxVersion", "4.0")
    if version != "4.0" or newest.startswith(("1.", "2.", "3.")):
        raise bad_request(f"OData {version} with the maximum {newest} is not supported: the Web API has OData 4.0.")
    if call.path != "$batch":
        _check_content(call)
    if call.path not in {"$batch", "$metadata"} and "/$" not in call.path:
        _check_accept(call.headers.get("Accept", ""))


def _check_content(call: Call) -> None:
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if call.body and kind not in {"", "application/json"}:
        raise ODataError(415, _CODE, f"The Content-Type '{kind}' of the body is not supported: it has to be JSON.")
    encoding = call.headers.get("Content-Encoding", "").lower()
    if call.body and encoding not in {"", "identity"}:
        raise ODataError(415, _CODE, f"The Content-Encoding '{encoding}' of the body is not supported.")


def _check_accept(accept: str) -> None:
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")} - {""}
    if kinds and not kinds & _JSON:
        raise ODataError(406, _CODE, f"No answer can be given as {accept}: the Web API answers with JSON.")
    asked = _METADATA.search(accept)
    if asked is not None and asked[1] != "minimal":
        raise not_simulated(f"An answer with odata.metadata={asked[1]}")
