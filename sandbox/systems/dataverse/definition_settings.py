"""Every property in a posted definition is taken, kept and returned, what the definition says anyway, or refused.

Names: EntityMetadata, AttributeMetadata and EntityKeyMetadata in Microsoft's Web API reference. What is kept has no
effect here: it is about forms, search, offline use, mail and auditing.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.systems.dataverse.errors import ODataError, not_simulated, undeclared_property

Definition = dict[str, Any]

_OFF, _ON = {"Value": False}, {"Value": True}
_MANAGED_OF_TABLES = frozenset(
    {"IsAuditEnabled", "IsConnectionsEnabled", "IsDuplicateDetectionEnabled", "IsMailMergeEnabled", "IsValidForQueue"}
    | {"IsOfflineInMobileClient", "IsReadOnlyInMobileClient", "IsVisibleInMobile", "IsVisibleInMobileClient"}
)
_FLAGS_OF_TABLES = frozenset(
    {"IsAvailableOffline", "IsDocumentManagementEnabled", "IsQuickCreateEnabled", "IsKnowledgeManagementEnabled"}
    | {"IsSLAEnabled", "IsBusinessProcessEnabled", "IsInteractionCentricEnabled", "IsReadingPaneEnabled"}
    | {"AutoCreateAccessTeams", "AutoRouteToOwnerQueue", "HasEmailAddresses", "HasFeedback", "EntityHelpUrlEnabled"}
    | {"SyncToExternalSearchIndex", "IsRetrieveAuditEnabled", "IsRetrieveMultipleAuditEnabled"}
    | {"IsOneNoteIntegrationEnabled", "IsDocumentRecommendationsEnabled"}
)
_TEXTS_OF_TABLES = frozenset(
    {"EntityColor", "EntityHelpUrl", "IconLargeName", "IconMediumName", "IconSmallName", "IconVectorName"}
)
KEPT_OF_TABLES: Mapping[str, Any] = {
    **dict.fromkeys(sorted(_MANAGED_OF_TABLES), _OFF),
    **dict.fromkeys(sorted(_FLAGS_OF_TABLES), False),
    **dict.fromkeys(sorted(_TEXTS_OF_TABLES)),
}
"""Settings of tables that are kept, with what they are where nobody has set them."""
KEPT_OF_COLUMNS: Mapping[str, Any] = {
    **dict.fromkeys(("IsAuditEnabled", "IsGlobalFilterEnabled", "IsSortableEnabled"), _OFF),
    **dict.fromkeys(("IsValidForAdvancedFind", "IsCustomizable", "IsRenameable"), _ON),
    **dict.fromkeys(("IsSearchable", "IsFilterable", "IsRequiredForForm"), False),
    **dict.fromkeys(("IsRetrievable", "IsValidForForm", "IsValidForGrid"), True),
}
"""The same of columns."""
KEPT_OF_SOME_COLUMNS = frozenset({"ImeMode", "PrecisionSource", "IsLocalizable"})
"""Settings that only some types of columns have; they are returned where somebody has set them."""
REQUIRED_LEVELS = frozenset({"None", "SystemRequired", "ApplicationRequired", "Recommended"})
"""AttributeRequiredLevel."""
_ELSEWHERE = frozenset(
    {
        "ActivityTypeMask",
        "AutoNumberFormat",
        "FormulaDefinition",
        "SourceType",
        "SourceTypeMask",
        "PrimaryImageAttribute",
    }
    | {"Settings", "IsBPFEntity", "IsChildEntity", "IsSolutionAware", "IsLogicalEntity"}
    | {"IsStateModelAware", "EnforceStateTransitions", "RecurrenceBaseEntityLogicalName", "ReportViewName"}
    | {"IsEnabledForCharts", "IsImportable", "IsEnabledForTrace", "CanCreateAttributes", "CanCreateForms"}
    | {"CanCreateViews", "CanCreateCharts", "CanBeRelatedEntityInRelationship", "CanBePrimaryEntityInRelationship"}
    | {"CanBeInManyToMany", "CanBeInCustomEntityAssociation", "CanModifyAdditionalSettings", "CanTriggerWorkflow"}
    | {"CanEnableSyncToExternalSearchIndex", "CanChangeHierarchicalRelationship", "IsMappable", "IsRenameable"}
    | {
        "IntroducedVersion",
        "DeprecatedVersion",
        "HasChanged",
        "ColumnNumber",
        "DatabaseLength",
        "YomiOf",
        "ExternalName",
    }
    | {"CanBeSecuredForRead", "CanBeSecuredForCreate", "CanBeSecuredForUpdate", "LinkedAttributeId", "InheritsFrom"}
    | {"IsBaseCurrency", "CalculationOf", "CanChangeDateTimeBehavior", "ParentPicklistLogicalName", "CreatedOn"}
    | {"ModifiedOn", "MinSupportedValue", "MaxSupportedValue", "MobileOfflineFilters", "DaysSinceRecordLastModified"}
    | {"IsDataSourceSecret", "IsValidODataAttribute", "SecurityPrivilege", "OneToManyRelationships"}
    | {"ManyToOneRelationships", "ManyToManyRelationships", "Keys", "GlobalOptionSet", "ChildPicklistLogicalNames"}
)
"""Properties that a real environment has as well."""


def kept_settings(body: Definition, names: Mapping[str, Any] | frozenset[str]) -> Definition:
    """What a body says of the settings that are only kept."""
    return {name: body[name] for name in names if body.get(name) is not None}


def shown_settings(definition: Definition, defaults: Mapping[str, Any]) -> Definition:
    """The kept settings as a definition shows them; managed properties have three parts."""
    return {name: _shown(name, default, definition.get(name)) for name, default in defaults.items()}


def _shown(name: str, default: Any, given: Any) -> Any:
    if isinstance(default, dict):
        whole = {"Value": default["Value"], "CanBeChanged": True, "ManagedPropertyLogicalName": name.lower()}
        return whole | (given if isinstance(given, dict) else {})
    return default if given is None else given


def check_properties(body: Definition, document: Definition, kind: str, taken: frozenset[str]) -> None:
    """Raise for properties that are neither `taken` nor what the `document` says: 400 unknown ones, 501 the others."""
    for name, given in body.items():
        if name in taken or "@" in name:
            continue
        if name not in document and name not in _ELSEWHERE:
            raise undeclared_property(name, kind)
        if not _says(given, document.get(name)):
            raise not_simulated(f"{name} of {kind} with the value {given}")


def check_choice(body: Definition, name: str, given: Any, choices: frozenset[str]) -> None:
    """400 for a word that is none of an enumeration."""
    if given is not None and given not in choices:
        said = f"The value '{given}' of {name} in {body.get('SchemaName')} is none of {', '.join(sorted(choices))}."
        raise ODataError(400, "0x80048d19", said)


def _says(given: Any, shown: Any) -> bool:
    """Whether a value says no more than the definition does; clients send back what they have read."""
    if isinstance(given, dict):
        inner = shown if isinstance(shown, dict) else {}
        return all(_says(value, inner.get(name)) for name, value in given.items() if "@" not in name)
    if isinstance(given, list):
        inner_list = shown if isinstance(shown, list) else []
        return len(given) == len(inner_list) and all(map(_says, given, inner_list))
    return (given in {None, False, ""} and not shown) or given is None or given == shown
