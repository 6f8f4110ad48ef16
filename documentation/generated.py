"""Everything that is generated: the parts of pages by name, and the picture."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from documentation import (
    blocks,
    commands,
    connect,
    contracts,
    costs,
    event_flows,
    flows,
    inbound,
    infra_picture,
    intake_api,
    ledger_tables,
    log_words,
    operations_api,
    picture,
    reasons,
    reasons_of_app,
    rest_contract,
    routes,
    settings,
)
from documentation.descriptions import DescriptionError
from documentation.source import REPOSITORY

PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands.list_part,
    "command-details": commands.details_part,
    "settings": settings.page_part,
    "settings-of-systems": settings.systems_part,
    "settings-runtime": settings.runtime_part,
    "costs": costs.page_part,
    "option-costs": costs.options_part,
    "routes": routes.http_part,
    "triggers": routes.trigger_part,
    "reasons": partial(reasons.page_part, seen=True),
    "reasons-log-only": partial(reasons.page_part, seen=False),
    "logs": log_words.page_part,
    "log-fields": log_words.fields_part,
    "envelope": lambda: contracts.fields_part("envelope", contracts.envelope(contracts.EVERYTHING)),
    "envelope-example": lambda: contracts.example(contracts.envelope()),
    "settled": lambda: contracts.fields_part("settled", contracts.settled()),
    "settled-example": lambda: contracts.example(contracts.settled()),
    "archive-example": lambda: contracts.example(contracts.archived()),
    **flows.parts(),
    **inbound.parts(),
    **event_flows.parts(),
    **connect.parts(),
    **{f"table-{name}": partial(ledger_tables.page_part, name) for name in ledger_tables.columns()},
}


def pages() -> list[Path]:
    """The pages of the site."""
    return sorted((REPOSITORY / "docs").rglob("*.md"))


def outdated() -> dict[Path, str]:
    """Files that do not match the code, with the content that they should have.

    Raises `DescriptionError`, which names everything without a description, and every description of something that
    does not exist.
    """
    made, problems = {}, []
    for name, make in PARTS.items():
        try:
            made[name] = make()
        except DescriptionError as error:
            problems.append(str(error))
    if problems:
        raise DescriptionError("\n".join(dict.fromkeys(problems)))
    wanted = (
        {page: blocks.fill(page.read_text(encoding="utf-8"), made) for page in pages()}
        | picture.current()
        | infra_picture.current()
        | flows.current()
        | rest_contract.current()
        | reasons_of_app.current()
        | operations_api.current()
        | intake_api.current()
    )
    return {
        file: text for file, text in wanted.items() if not file.exists() or file.read_text(encoding="utf-8") != text
    }
