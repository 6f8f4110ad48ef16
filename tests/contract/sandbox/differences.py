"""The tables of known differences on the pages of the stand-ins; each row is tried out, so none outlives its end."""

from sandbox.repository import REPOSITORY


def listed(page: str, heading: str = "## Known differences") -> list[str]:
    """What the table below a heading of a page in docs/reference lists: the text of its first column."""
    text = (REPOSITORY / "docs" / "reference" / page).read_text(encoding="utf-8")
    table = text.split(f"\n{heading}\n")[1].split("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    assert all(len(row) == 2 and row[1].strip() for row in rows), "each row has a difference and its reason"
    return [row[0].strip() for row in rows]
