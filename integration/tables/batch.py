"""Entity group transactions: many writes to one partition in one call, of which all are done or none.

https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from integration.transport import Response

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


def batch_body(merges: Sequence[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Content type and body of a transaction that merges each body into the entity at its address."""
    batch, changes = f"batch_{secrets.token_hex(8)}", f"changeset_{secrets.token_hex(8)}"
    parts = [
        f"--{changes}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"MERGE {address} HTTP/1.1\r\nContent-ID: {number}\r\nAccept: application/json;odata=nometadata\r\n"
        f"Content-Type: application/json\r\nDataServiceVersion: 3.0\r\n\r\n".encode()
        + body
        + b"\r\n"
        for number, (address, body) in enumerate(merges)
    ]
    head = f"--{batch}\r\nContent-Type: multipart/mixed; boundary={changes}\r\n\r\n".encode()
    return f"multipart/mixed; boundary={batch}", head + b"".join(parts) + f"--{changes}--\r\n--{batch}--\r\n".encode()


def batch_failure(answer: Response, parts: int) -> Response | None:
    """None if all `parts` of a transaction were done.

    Otherwise the answer of the part that failed, or the whole answer.

    An answer that does not mention every part (a gateway's page) does not say whether the transaction was done.
    """
    if answer.status != 202:
        return answer
    statuses = [int(found) for found in _STATUS.findall(answer.body)]
    failed = next((status for status in statuses if status >= 300), None)
    if failed is None:
        return None if len(statuses) == parts else replace(answer, body=b"", headers={})
    start, end = answer.body.find(b"{"), answer.body.rfind(b"}")
    return replace(answer, status=failed, body=answer.body[start : end + 1], headers={})
