"""The declaration and the values of an environment: what they hold, and what they never hold."""

from pathlib import Path

import pytest

from integration.errors import ConfigurationError
from integration.registration.declaration import Declaration, SignIn, read_declaration, read_values, secret
from integration.registration.endpoints import secret_of
from integration.registration.plan import Change, Plan, SavedPlan, save
from integration.registration.showing import shown
from sandbox.repository import REPOSITORY


def test_the_declaration_of_the_repository_is_that_of_the_defaults() -> None:
    assert read_declaration(REPOSITORY / "dataverse.toml") == Declaration()


def test_the_page_shows_a_file_that_can_be_read(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "how-to" / "connect-dataverse.md").read_text("utf-8")
    shown_file = "url" + page.partition("```toml\nurl")[2].partition("```")[0]
    (tmp_path / "production.toml").write_text(shown_file, encoding="utf-8")
    values = read_values(tmp_path / "production.toml")
    assert values.publisher_prefix == "new"
    assert secret_of("webhook", values) == "env:WEBHOOK_KEY"
    with pytest.raises(ConfigurationError, match=r"needs the section \[bus\]"):
        secret_of("queue", values)


def test_the_pages_show_custom_apis_and_a_catalog_that_can_be_declared(tmp_path: Path) -> None:
    """As the page on Dataverse and that on business events print them, and as the example has them."""
    folder, example = REPOSITORY / "docs", REPOSITORY / "examples" / "business_events" / "dataverse.toml"
    begin = "```toml\n[custom-apis"
    for page in ("reference/dataverse-registration.md", "how-to/business-events.md"):
        shown_part = (folder / page).read_text("utf-8").partition(begin)[2].partition("```")[0]
        (tmp_path / "dataverse.toml").write_text("[custom-apis" + shown_part, encoding="utf-8")
        assert "new_CustomerPurchase" in read_declaration(tmp_path / "dataverse.toml").custom_apis
    declared = read_declaration(example)
    assert declared.catalog is not None
    assert [it.custom_apis for it in declared.catalog.categories.values()] == [
        ("new_CustomerPurchase",),
        ("new_VendorPaymentPosted",),
    ]


def test_a_secret_is_found_where_the_reference_says() -> None:
    assert secret("env:KEY", {"KEY": "value"}) == "value"
    with pytest.raises(ConfigurationError, match="KEY is not set"):
        secret("env:KEY", {})
    with pytest.raises(ConfigurationError, match="written as env:NAME") as refused:
        secret("the-secret-itself", {})
    assert "the-secret-itself" not in str(refused.value)


def test_a_secret_in_the_file_itself_is_refused_and_not_repeated(tmp_path: Path) -> None:
    lines = 'url = "https://a.example"\nwebhook-url = "https://b.example"\nwebhook-key = "the-secret-itself"\n'
    (tmp_path / "test.toml").write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="webhook-key") as refused:
        read_values(tmp_path / "test.toml")
    assert "the-secret-itself" not in str(refused.value)


def test_who_signs_in_by_az_needs_no_more_values() -> None:
    given = SignIn()
    assert (given.tenant, given.client_id, given.client_secret) == (None, None, None)


PLAN = Plan(
    "https://test.example",
    "one",
    (Change("endpoint.webhook", "endpoint", "update", {"url": "a", "secret": "set"}, {"url": "b", "secret": "set"}),),
)


def test_a_plan_is_shown_in_the_signs_that_terraform_has_taught() -> None:
    lines = list(shown(PLAN))
    assert "  ~   endpoint.webhook is changed" in lines
    assert '        url: "a" -> "b"' in lines
    assert lines[-1] == "Plan: 0 to add, 1 to change, 0 to delete."


def test_a_plan_of_another_organisation_or_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    save(PLAN, file)
    SavedPlan.read(file).check(PLAN)
    with pytest.raises(ConfigurationError, match="organisation two"):
        SavedPlan.read(file).check(Plan(PLAN.url, "two", PLAN.changes))
    file.write_text(file.read_text("utf-8").replace('"1.1"', '"2.0"'), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"format 2\.0"):
        SavedPlan.read(file)
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is not a plan"):
        SavedPlan.read(file)
