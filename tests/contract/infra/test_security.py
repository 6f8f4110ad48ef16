"""Who may do what, and who can reach what, as it is deployed."""

import json

import pytest

from sandbox.deployment.inventory import ROLES
from tests.contract.infra.bicep import ENVIRONMENTS, Expansion

EVERYWHERE = {
    ("Storage Blob Data Owner", "storageAccounts"),
    ("Storage Blob Data Owner", "containers"),
    ("Storage Table Data Contributor", "storageAccounts"),
    ("Azure Service Bus Data Owner", "queues"),
    ("Azure Event Hubs Data Receiver", "eventhubs"),
    ("Azure Event Hubs Data Sender", "eventhubs"),
    ("Key Vault Secrets User", "vaults"),
    ("Monitoring Metrics Publisher", "components"),
}
DATA = {
    "Microsoft.Storage/storageAccounts": "stdvint",
    "Microsoft.ServiceBus/namespaces": "sb-",
    "Microsoft.EventHub/namespaces": "evhns-",
}
"""What holds data, by the beginnings of its names."""


@pytest.fixture(params=ENVIRONMENTS)
def golden(request: pytest.FixtureRequest) -> Expansion:
    return Expansion.golden(request.param)


@pytest.fixture
def production() -> Expansion:
    return Expansion.golden("prod")


def test_the_identity_has_these_roles_and_no_other(golden: Expansion) -> None:
    """Each on one resource: on the queue and the hub, not on their namespaces."""
    given = set()
    for assignment in golden.of("Microsoft.Authorization/roleAssignments"):
        scope = assignment["id"].split("/providers/Microsoft.Authorization")[0]
        given.add((ROLES[assignment["properties"]["roleDefinitionId"].rpartition("/")[2]], scope.split("/")[-2]))
    assert given == EVERYWHERE


def test_the_app_cannot_write_its_own_package(golden: Expansion) -> None:
    """The package has an account and an identity of its own, which no setting of the app names."""
    store = golden.named("Microsoft.Storage/storageAccounts", "stp")
    deployment = golden.one("Microsoft.Web/sites")["properties"]["functionAppConfig"]["deployment"]["storage"]
    reader = deployment["authentication"]["userAssignedIdentityResourceId"]
    assert reader.endswith("-package")
    assert deployment["value"].endswith("app-package")
    on_it = [it for it in golden.of("Microsoft.Authorization/roleAssignments") if store["id"] in it["id"]]
    (only,) = on_it
    assert only["id"].split("/providers/Microsoft.Authorization")[0].endswith("/containers/app-package")
    running = golden.settings["AzureWebJobsStorage__clientId"]
    assert "-package" not in running
    assert only["properties"]["principalId"] != next(
        it["properties"]["principalId"]
        for it in golden.of("Microsoft.Authorization/roleAssignments")
        if "/queues/" in it["id"]
    )
    assert store["name"] not in json.dumps(golden.settings)


def test_copies_of_the_ledger_outlive_the_account_of_the_ledger(golden: Expansion) -> None:
    """An account of their own; what is deleted there comes back for 30 days, and the app has no say in that."""
    copies = golden.named("Microsoft.Storage/storageAccounts", "stc")
    assert golden.settings["LEDGER_COPIES_ACCOUNT"] == copies["name"]
    service = golden.named("Microsoft.Storage/storageAccounts/blobServices", copies["name"])["properties"]
    assert service["isVersioningEnabled"] is True
    assert service["deleteRetentionPolicy"] == {"enabled": True, "days": 30}
    assert service["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 30}
    on_it = [it["id"] for it in golden.of("Microsoft.Authorization/roleAssignments") if copies["id"] in it["id"]]
    assert [it.split("/providers/Microsoft.Authorization")[0].rpartition("/")[2] for it in on_it] == ["ledger-copies"]


def test_blobs_are_kept_as_long_as_the_ledger_and_no_longer(golden: Expansion) -> None:
    """Archive, Capture, what events carry and rows set aside for 13 months, as the ledger; copies for five weeks."""
    days = {}
    for it in golden.of("Microsoft.Storage/storageAccounts/managementPolicies"):
        (rule,) = it["properties"]["policy"]["rules"]
        days[rule["name"]] = rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
        if rule["name"] == "archive":
            containers = ["integration-events/", "claim-checks/", "set-aside/"]
            assert rule["definition"]["filters"]["prefixMatch"] == containers
    assert days == {"archive": 400, "copies": 35}


def test_every_resource_says_whose_it_is(golden: Expansion) -> None:
    """Owner, cost centre and class of the data, beside workload and environment, where a resource can have tags."""
    tagged = [it["tags"] for it in golden.resources if it.get("tags")]
    assert len(tagged) > 20
    for tags in tagged:
        assert {"owner", "costCentre", "dataClass", "workload", "environment"} <= tags.keys()


def test_services_that_hold_data_log_what_is_done_to_them(golden: Expansion) -> None:
    """Diagnostic settings on both namespaces, blobs, tables and the vault."""
    told = {
        it["id"].split("/providers/Microsoft.Insights")[0] for it in golden.of("Microsoft.Insights/diagnosticSettings")
    }
    kinds = {scope.split("/providers/")[-1].split("/", 1)[0] for scope in told}
    assert kinds == {"Microsoft.ServiceBus", "Microsoft.EventHub", "Microsoft.Storage", "Microsoft.KeyVault"}
    assert {scope.split("/")[-2] for scope in told if "Storage" in scope} == {"blobServices", "tableServices"}


def test_production_reaches_its_data_privately(production: Expansion) -> None:
    """Public access is off where there is a private endpoint, with its name in a zone that the network knows."""
    for kind, beginning in DATA.items():
        assert production.named(kind, beginning)["properties"]["publicNetworkAccess"] == "Disabled"
    copies = production.named("Microsoft.Storage/storageAccounts", "stc")["properties"]["networkAcls"]
    assert copies["defaultAction"] == "Deny"
    assert [it["id"].rpartition("/")[2] for it in copies["virtualNetworkRules"]] == ["app"]
    endpoints = production.of("Microsoft.Network/privateEndpoints")
    groups = [it["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"][0] for it in endpoints]
    assert sorted(groups) == ["blob", "namespace", "namespace", "queue", "table"]
    zones = {it["id"] for it in production.of("Microsoft.Network/privateDnsZones")}
    used = {
        it["properties"]["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"]
        for it in production.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    }
    assert used == zones
    assert len(production.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")) == len(zones)
    assert production.one("Microsoft.Web/sites")["properties"]["virtualNetworkSubnetId"].endswith("/subnets/app")


def test_production_keeps_its_intake_reachable_for_dataverse(production: Expansion) -> None:
    """The app's own public address stays; who is not Power Platform or support is refused by the platform."""
    site = production.one("Microsoft.Web/sites")["properties"]
    assert site.get("publicNetworkAccess") in (None, "Enabled")
    rules = site["siteConfig"]["ipSecurityRestrictions"]
    assert {it["action"] for it in rules} == {"Allow"}
    tags = {it["ipAddress"] for it in rules if it["tag"] == "ServiceTag"}
    assert tags == {"PowerPlatformPlex", "PowerPlatformInfra", "ApplicationInsightsAvailability"}
    assert site["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Deny"


def test_the_vault_can_be_read_by_references_everywhere(golden: Expansion) -> None:
    """A vault behind a firewall would leave the app without keys: it takes roles only, and is reachable."""
    vault = golden.one("Microsoft.KeyVault/vaults")["properties"]
    assert (vault["enableRbacAuthorization"], vault["publicNetworkAccess"]) == (True, "Enabled")


def test_production_cannot_be_deleted_by_accident(production: Expansion) -> None:
    """Locks on what holds events, history or secrets; deleted secrets are kept."""
    locked = {it["id"].split("/providers/")[-2].split("/")[1] for it in production.of("Microsoft.Authorization/locks")}
    assert {it["properties"]["level"] for it in production.of("Microsoft.Authorization/locks")} == {"CanNotDelete"}
    assert locked == {"storageAccounts", "namespaces", "vaults"}
    assert len(production.of("Microsoft.Authorization/locks")) == 5
    assert production.one("Microsoft.KeyVault/vaults")["properties"]["enablePurgeProtection"] is True
