"""Documentation is held against the code: what one names, the other has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration.errors import IntegrationError
from integration.ledger import State

CODE = "\n".join(path.read_text(encoding="utf-8") for path in Path("integration").rglob("*.py"))
OPERATE = Path("docs/operate.md").read_text(encoding="utf-8")
PAGES = [Path("README.md"), *Path("docs").rglob("*.md")]
SYSTEMS = ("dataverse", "erp", "credit")
NOT_SEEN = {"integration-error", "configuration", "rejected", "unavailable", "transient", "throttled", "permanent"} | {
    "not-found", "conflict", "stale", "dead-lettered", "unexpected", "fenced", "entity-exists", "precondition-failed",
    "ledger-file", "record-under-way",
}  # fmt: skip
"""Defaults that callers replace, or that never reach the ledger."""
MADE_OF_A_STATUS = (
    "unauthorised", "forbidden", "rejected", "redirected", "unavailable", "failed", "conflict", "answer-unreadable",
)  # fmt: skip
"""What `integration.transport.status.failure` puts after the system's name."""


def reasons_in_code() -> set[str]:
    """Every reason that is raised; those made for a system as `<system>-...`."""
    found = set(re.findall(r'reason=f?"([^"]+)"', CODE)) | {kind.reason for kind in tree(IntegrationError)}
    found |= {f"<system>-{word}" for word in MADE_OF_A_STATUS}
    made = {re.sub(r"^\{[a-z.]+\}", "<system>", reason) for reason in found if not reason.endswith("}")}
    return {re.sub(rf"^({'|'.join(SYSTEMS)})-", "<system>-", reason) for reason in made} - NOT_SEEN


def tree(kind: type[IntegrationError]) -> list[type[IntegrationError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]


def test_every_reason_is_documented_and_no_other() -> None:
    """Support finds each reason that a verdict or a waiting event can have."""
    section = OPERATE.split("## Reasons")[1].split("## Logs")[0]
    rows = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    documented = set(re.findall(r"`([^`]+)`", rows))
    assert documented == reasons_in_code() | {"unexpected-error"}


def test_every_state_is_documented() -> None:
    """The states' table names them all, in their order."""
    section = OPERATE.split("| state |")[1].split("`steps`")[0]
    documented = [line.split("|")[1].strip() for line in section.splitlines()[2:] if line.startswith("|")]
    assert documented == [state.value for state in State]


def test_every_log_word_is_documented_and_no_other() -> None:
    """Queries are written on these words."""
    section = OPERATE.split("| what |")[1].split("All of one event")[0]
    words = "\n".join(line.split("|")[1] for line in section.splitlines()[2:] if line.startswith("|"))
    said = set(re.findall(r'_log\.(?:debug|info|warning|error)\(\s*"([a-z-]+)"', CODE))
    assert set(re.findall(r"`([^`]+)`", words)) == said


def test_queries_ask_for_words_that_are_said() -> None:
    """A query on a word that nobody logs would be empty for ever."""
    said = set(re.findall(r'_log\.\w+\(\s*"([a-z-]+)"', CODE))
    asked = set(re.findall(r'it\.what\) == "([a-z-]+)"', OPERATE))
    asked |= {
        word for group in re.findall(r"it\.what\) in \(([^)]+)\)", OPERATE) for word in re.findall(r'"(.+?)"', group)
    }
    assert asked <= said
    assert asked


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file that exists."""
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_paths_that_pages_name_exist(page: Path) -> None:
    """Code that moves takes its mention along."""
    named = re.findall(r"`((?:integration|sandbox|tests|infra|docs)/[\w./-]+)`", page.read_text(encoding="utf-8"))
    for path in named:
        assert Path(path).exists(), path


def test_commands_that_the_readme_names_exist() -> None:
    """`run.py --help` lists what the README promises."""
    readme = Path("README.md").read_text(encoding="utf-8")
    listed = subprocess.run([sys.executable, "run.py", "--help"], capture_output=True, text=True, check=True).stdout
    promised = set(re.findall(r"run\.py (\w+)", readme)) | set(re.findall(r"`(\w+)` (?:measures|runs)", readme))
    assert promised
    for command in promised:
        assert re.search(rf"^\s+{command}\b", listed, re.MULTILINE), command


def test_settings_that_pages_name_exist() -> None:
    """An upper-case setting in the docs is one of the class, or of the runtime."""
    from integration.settings import Settings  # noqa: PLC0415 -- only here

    known = set(Settings.names()) | {"PYTHON_THREADPOOL_THREAD_COUNT", "FUNCTIONS_WORKER_RUNTIME"}
    for page in PAGES:
        named = re.findall(
            r"\b((?:RETRY|INTAKE|DATAVERSE|ERP|CREDIT|OPERATIONS|HTTP)_[A-Z_]+)\b", page.read_text(encoding="utf-8")
        )
        assert set(named) <= known, page
