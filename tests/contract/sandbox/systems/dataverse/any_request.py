"""Requests that nobody meant: made at random from what clients send, with mistakes in them."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

FABRIKAM = "a0000000-0000-4000-8000-000000000001"
ADA = "b0000000-0000-4000-8000-000000000001"
CRM = "Microsoft.Dynamics.CRM."
METHODS = ("GET",) * 6 + ("POST", "POST", "PATCH", "PUT", "DELETE", "HEAD")
PATHS = (
    *("accounts", "contacts", "tasks", "opportunities", "systemusers", "solutions", "asyncoperations", "nothings"),
    *(f"accounts({FABRIKAM})", "accounts(00000000-0000-0000-0000-000000000000)", "accounts(1)", "accounts()"),
    *("accounts(new_erpnumber='A-1')", "accounts(new_erpnumber='it''s')", "accounts(name='x')", "accounts(a=b,c=)"),
    *("accounts/$count", f"accounts({FABRIKAM})/name", f"accounts({FABRIKAM})/name/$value", "accounts/$value"),
    *(f"accounts({FABRIKAM})/primarycontactid", f"accounts({FABRIKAM})/primarycontactid/$ref"),
    *(f"accounts({FABRIKAM})/contact_customer_accounts", f"accounts({FABRIKAM})/contact_customer_accounts/$count"),
    *(f"accounts({FABRIKAM})/contact_customer_accounts/$ref", f"accounts({FABRIKAM})/contact_customer_accounts({ADA})"),
    *(f"contacts({ADA})/parentcustomerid_account/name", f"contacts({ADA})/ownerid", f"contacts({ADA})/ownerid/$ref"),
    *(f"accounts({FABRIKAM})/{CRM}Nonsense", f"accounts/{CRM}CreateMultiple", f"accounts/{CRM}UpdateMultiple"),
    *(f"accounts/{CRM}UpsertMultiple", f"accounts/{CRM}DeleteMultiple", "WhoAmI", "WhoAmI()", "WinOpportunity"),
    *("RetrieveVersion", "CreateEntities", "customapis", "$metadata", "", "$batch", "$batch/x", "Nonsense(1)/x"),
    *("EntityDefinitions", "EntityDefinitions(LogicalName='account')", "EntityDefinitions(LogicalName='nothing')"),
    *(f"EntityDefinitions(LogicalName='account'){rest}" for rest in ("/Attributes", "/Keys", "/DisplayName", "/x")),
    f"EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')/{CRM}StringAttributeMetadata",
    *("RelationshipDefinitions", f"RelationshipDefinitions/{CRM}OneToManyRelationshipMetadata", "EntityDefinitions(1)"),
    *("serviceendpoints", "sdkmessageprocessingsteps", "sdkmessageprocessingstepimages", "sdkmessages"),
    *("RetrieveTotalRecordCount(EntityNames=@p)", "RetrieveCurrentOrganization(AccessType=1)", "RetrieveVersion(a=)"),
    *("RetrieveDependenciesForDelete(ObjectId=@p,ComponentType=95)", "PublishAllXml", "PublishXml"),
    *("AddSolutionComponent", "RemoveSolutionComponent", "solutioncomponents", "customapis(uniquename='new_Any')"),
    *("catalogs", "catalogassignments", "entities", "customapirequestparameters", "new_Any", "new_Any/x", "new_Any(1)"),
    *(f"EntityDefinitions(LogicalName='account')/{rest}" for rest in ("OneToManyRelationships", "LogicalName/$value")),
    f"EntityDefinitions(LogicalName='account')/OneToManyRelationships/{CRM}OneToManyRelationshipMetadata",
    f"EntityDefinitions(LogicalName='account')/Attributes/{CRM}PicklistAttributeMetadata",
)
DEFINED = (
    *("LogicalName", "IsCustomEntity", "OwnershipType", "DisplayName", "IsCustomizable", "IsCustomizable/Value"),
    *("MetadataId", "AttributeType", "MaxLength", "RequiredLevel/Value", "KeyAttributes", "nonsense", "ExternalName"),
)
DEFINED_LITERALS = (
    *(f"{CRM}AttributeTypeCode'String'", f"{CRM}OwnershipTypes'UserOwned'", f"{CRM}Nonsense'x'", "'account'", "true"),
    *("5", "null", "1.5", FABRIKAM, '"quoted"', "@p", "LogicalName"),
)
DEFINED_EXPANSIONS = (
    *("Attributes", "Attributes($select=LogicalName;$filter=IsCustomAttribute eq true)", "Keys($select=nonsense)"),
    *("OptionSet($select=Options),GlobalOptionSet", "OneToManyRelationships($top=1)", "Attributes($expand=OptionSet)"),
    *("Attributes($filter=(LogicalName eq 'name'))", "nonsense", "Attributes(", "Attributes($select)"),
)
_TEXT = {"@odata.type": f"{CRM}StringAttributeMetadata", "MaxLength": 10}
TEMPLATES: dict[str, dict[str, Any]] = {
    "EntityDefinitions": {
        "SchemaName": "new_Any",
        "Attributes": [_TEXT | {"SchemaName": "new_Name", "IsPrimaryName": True}],
    },
    "Attributes": _TEXT | {"SchemaName": "new_Column", "RequiredLevel": {"Value": "None"}},
    "Keys": {"SchemaName": "new_Key", "KeyAttributes": ["fax"]},
    "customapis": {
        **dict.fromkeys(("uniquename", "name", "displayname", "description"), "new_Any"),
        "bindingtype": 0,
        "allowedcustomprocessingsteptype": 1,
        "CustomAPIRequestParameters": [
            {**dict.fromkeys(("uniquename", "name", "displayname", "description"), f"P{kind}"), "type": kind}
            | {"isoptional": True}
            for kind in range(13)
        ],
    },
    "new_Any": {
        f"P{kind}": value for kind, value in enumerate((True, "2026-01-31", 1, {}, [], {}, 1, 1, 1, 1, "x", []))
    },
    "catalogs": dict.fromkeys(("uniquename", "name", "displayname", "description"), "new_Any"),
    "AddSolutionComponent": {
        "ComponentId": FABRIKAM,
        "ComponentType": 95,
        "SolutionUniqueName": "integration",
        "AddRequiredComponents": False,
    },
}
"""Bodies that fit, by the last part of a path."""
COLUMNS = (
    *("name", "fax", "revenue", "numberofemployees", "createdon", "statecode", "creditonhold", "industrycode"),
    *("accountid", "_ownerid_value", "versionnumber", "subject", "firstname", "estimatedclosedate", "nonsense"),
    *("primarycontactid/firstname", "ownerid/fullname", "nonsense/name", "parentaccountid/parentaccountid/name"),
)
LITERALS = (
    *(
        "'a'",
        "''",
        "'it''s'",
        "1",
        "-5",
        "1.5",
        "null",
        "true",
        "false",
        FABRIKAM,
        "2026-01-31",
        "2026-01-31T10:00:00Z",
    ),
    *('"quoted"', "@p", "@nothing", "9999999999999999999999", "'NaN'", "'Infinity'", "2026-99-99", "'%'", "name"),
)
LISTS = ("['a','b']", '["1","2"]', "['NaN','1']", "[]", "['2026-01-01','2026-12-31']", "['x']")
FUNCTIONS = (
    *("In", "NotIn", "Between", "NotBetween", "Today", "LastXDays", "NextXYears", "OlderThanXMinutes", "On"),
    *("OnOrAfter", "LastYear", "Under", "EqualUserId", "Nonsense", "LastXMinutes"),
)
EXPANSIONS = (
    *("primarycontactid", "primarycontactid($select=fullname)", "ownerid", "createdby,modifiedby", "nonsense"),
    *("contact_customer_accounts", "contact_customer_accounts($filter=firstname eq 'Ada';$orderby=lastname;$top=1)"),
    *("contact_customer_accounts($expand=parentcustomerid_account)", "contact_customer_accounts($count=true)"),
    *("primarycontactid/$ref", "contact_customer_accounts/$ref", "Account_Tasks($levels=2)", "primarycontactid("),
)
APPLIED = (
    *("groupby((statecode),aggregate($count as n))", "aggregate(revenue with sum as n)", "filter(name eq 'a')"),
    *("aggregate(name with sum as n)", "groupby((name", "aggregate()", "groupby(())", "nonsense"),
)
CONDITIONS = (
    *("<condition attribute='name' operator='like' value='%a[%'/>", "<condition attribute='name' operator='in'/>"),
    *("<condition attribute='revenue' operator='gt' value='NaN'/>", "<condition attribute='x' operator='null'/>"),
    *("<condition attribute='createdon' operator='last-x-days' value='2'/>", "<condition operator='eq'/>"),
    *("<condition attribute='createdon' operator='last-x-days' value='99999999999'/>", "<condition/>"),
    "<condition attribute='accountid' operator='eq' value='{a0000000-0000-4000-8000-000000000001}'/>",
    "<condition attribute='createdon' operator='on' value='yesterday'/>",
    "<condition attribute='numberofemployees' operator='between'><value>1</value><value>x</value></condition>",
    "<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='any'/>",
)
HEADERS = (
    *(("Prefer", text) for text in ("return=representation", "odata.maxpagesize=1", "odata.track-changes", "x;y=,")),
    *(
        ("Prefer", text)
        for text in ('odata.include-annotations="*"', "odata.continue-on-error", "odata.maxpagesize=-1")
    ),
    *(("If-Match", text) for text in ("*", 'W/"1"', "nonsense", "")),
    *(("If-None-Match", text) for text in ("*", "null", 'W/"1"')),
    *(("MSCRM.SolutionUniqueName", text) for text in ("integration", "nothing")),
    *(("MSCRM.BypassBusinessLogicExecution", text) for text in ("CustomSync", "Nonsense")),
    ("CallerObjectId", "x"),
)
VALUES: tuple[Any, ...] = (
    *(
        "a",
        "",
        None,
        True,
        0,
        -1,
        1.5,
        2**70,
        [],
        {},
        [1],
        {"a": {}},
        "x" * 300,
        "2026-01-31",
        FABRIKAM,
        "\u0000",
        "\ud800",
        "ß",
    ),
    *("$1", f"accounts({FABRIKAM})", f"/contacts({ADA})", "accounts(", "https://x/api/data/v9.2/accounts(1)"),
)
NAMES = (
    *(
        "name",
        "fax",
        "revenue",
        "numberofemployees",
        "statecode",
        "statuscode",
        "creditonhold",
        "accountid",
        "nonsense",
    ),
    *("primarycontactid@odata.bind", "ownerid@odata.bind", "primarycontactid", "_ownerid_value", "@odata.id", "value"),
    *(
        "@odata.type",
        "Targets",
        "contact_customer_accounts",
        "subject",
        "lastname",
        "SchemaName",
        "Attributes",
        "Status",
    ),
    *(
        "OpportunityClose",
        "Entities",
        "KeyAttributes",
        "DisplayName",
        "",
        "contract",
        "url",
        "stage",
        "mode",
        "imagetype",
    ),
)


@dataclass
class Request:
    """One request, as it is sent."""

    method: str
    path: str
    options: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Maker:
    """Makes requests; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- nothing is kept secret with it

    def request(self) -> Request:
        """A request with one mistake at least in most cases."""
        path = self._spoiled(self._any(PATHS), 0.05)
        defines = path.startswith("EntityDefinitions") and self._random.random() < 0.7
        made = Request(self._any(METHODS), path, self._definition_options() if defines else self._options())
        for _ in range(self._random.choice((0, 0, 0, 1, 2))):
            name, value = self._any(HEADERS)
            made.headers[name] = value
        if path == "$batch":
            made.method = self._any(("POST", "POST", "POST", "GET"))
            made.headers["Content-Type"] = self._spoiled("multipart/mixed; boundary=b", 0.1)
            made.body = self._spoiled(self._batch(), 0.5).encode(errors="replace")
        elif made.method not in {"GET", "HEAD", "OPTIONS"}:
            made.headers["Content-Type"] = "application/json"
            made.body = self._spoiled(json.dumps(self._body(path)), 0.15).encode(errors="replace")
        return made

    def _body(self, path: str) -> dict[str, Any]:
        """A body at random or, where one is known that fits, mostly that one with other values here and there."""
        template = TEMPLATES.get(path.rpartition("/")[2])
        if template is None or self._random.random() < 0.3:
            return self._object(2)
        changed = {name: self._value(2) for name in self._some((*template, *NAMES), 2)}
        return template | changed

    def filter(self, depth: int = 2) -> str:
        """An expression for `$filter`, valid or not."""
        choice = self._random.random()
        if depth and choice < 0.35:
            return f"({self.filter(depth - 1)} {self._any(('and', 'or'))} {self.filter(depth - 1)})"
        if depth and choice < 0.45:
            return f"not ({self.filter(depth - 1)})"
        column, literal = self._any(COLUMNS), self._any(LITERALS)
        if choice < 0.75:
            return f"{column} {self._any(('eq', 'ne', 'gt', 'ge', 'lt', 'le', 'in', 'has'))} {literal}"
        if choice < 0.85:
            return f"{self._any(('contains', 'startswith', 'endswith', 'length'))}({column},{literal})"
        if choice < 0.92:
            inner = f"c:c/{self._any(('firstname', 'lastname', 'nonsense'))} eq 'Ada'"
            return f"contact_customer_accounts/{self._any(('any', 'all', 'none'))}({self._any((inner, ''))})"
        many, function = self._any(LISTS), self._any(FUNCTIONS)
        given = self._any((f",PropertyValues={many}", f",PropertyValue={literal}", ""))
        return f"{CRM}{function}(PropertyName='{column}'{given})"

    def fetch(self) -> str:
        """A query in FetchXML, valid or not."""
        inner = "".join(self._any(CONDITIONS) for _ in range(self._random.randint(0, 2)))
        attributes = self._any(("", "<attribute name='name'/>", "<all-attributes/>", "<attribute name='x'/>"))
        order = self._any(("", "<order attribute='name'/>", "<order attribute='ownerid' descending='true'/>"))
        options = self._any(
            ("", "count='1'", "top='1'", "distinct='1'", "aggregate='true'", "page='2' paging-cookie='x'")
        )
        return (
            f"<fetch {options}><entity name='account'>{attributes}"
            f"<filter type='{self._any(('and', 'or', 'x'))}'>{inner}</filter>{order}</entity></fetch>"
        )

    def _options(self) -> list[tuple[str, str]]:
        options: dict[str, Callable[[], str]] = {
            "$filter": self.filter,
            "$select": lambda: ",".join(self._some(COLUMNS, 3)),
            "$orderby": lambda: f"{self._any(COLUMNS)}{self._any(('', ' desc', ' up'))}",
            "$top": lambda: self._any(("1", "0", "-1", "x", "5000", "²")),
            "$count": lambda: self._any(("true", "false", "x")),
            "$expand": lambda: self._any(EXPANSIONS),
            "$apply": lambda: self._any(APPLIED),
            "$skiptoken": lambda: self._any(("x", '<cookie pagenumber="2" offset="1"/>', "1!2!" + FABRIKAM, "")),
            "$deltatoken": lambda: self._any(("1!", "x", "", "999999999!")),
            "fetchXml": self.fetch,
            "@p": lambda: self._any(LITERALS),
            "$skip": lambda: "1",
            "$id": lambda: f"contacts({ADA})",
            "tag": lambda: "x",
            "nonsense": lambda: "1",
        }
        chosen = self._some(tuple(options), self._random.choice((0, 1, 1, 2, 3)))
        return [(name, self._spoiled(options[name](), 0.1)) for name in dict.fromkeys(chosen)]

    def _definition_options(self) -> list[tuple[str, str]]:
        options: dict[str, Callable[[], str]] = {
            "$filter": lambda: f"{self._any(DEFINED)} {self._any(('eq', 'ne', 'gt'))} {self._any(DEFINED_LITERALS)}",
            "$select": lambda: ",".join(self._some(DEFINED, 3)),
            "$expand": lambda: self._any(DEFINED_EXPANSIONS),
            "$count": lambda: self._any(("true", "x")),
            "LabelLanguages": lambda: self._any(("1033", "1031", "x")),
            "$skip": lambda: "1",
            "@p": lambda: self._any(DEFINED_LITERALS),
            "nonsense": lambda: "1",
        }
        chosen = self._some(tuple(options), self._random.choice((0, 1, 1, 2, 3)))
        return [(name, self._spoiled(options[name](), 0.1)) for name in dict.fromkeys(chosen)]

    def _object(self, depth: int) -> dict[str, Any]:
        return {name: self._value(depth) for name in self._some(NAMES, 4)}

    def _value(self, depth: int) -> Any:
        if depth and self._random.random() < 0.25:
            return [self._object(depth - 1) for _ in range(self._random.randint(0, 2))]
        if depth and self._random.random() < 0.1:
            return self._object(depth - 1)
        return self._any(VALUES)

    def _batch(self) -> str:
        kind = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        parts = []
        for number in range(self._random.randint(0, 3)):
            method, path = self._any(METHODS), self._any((*PATHS, "$1", "$1/name", "$9"))
            body = json.dumps(self._object(1)) if method in {"POST", "PATCH", "PUT"} else ""
            parts.append(f"{kind}Content-ID: {number}\r\n\r\n{method} {path} HTTP/1.1\r\n\r\n{body}")
        whole = "".join(f"--b\r\n{part}\r\n" for part in parts)
        if self._random.random() < 0.5:
            inner = "".join(f"--c\r\n{part}\r\n" for part in parts)
            whole += f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inner}--c--\r\n"
        return whole + "--b--\r\n"

    def _spoiled(self, text: str, share: float) -> str:
        """A text, in a share of cases with a character too many, too few, or another one."""
        if not text or self._random.random() > share:
            return text
        at = self._random.randrange(len(text))
        put = str(self._any(("", "'", '"', "(", ")", "/", " ", "\\", "<", "é", "%", "$", "\r\n", "{", ":")))
        return text[:at] + put + text[at + self._random.randint(0, 1) :]

    def _any(self, options: Sequence[Any]) -> Any:
        return self._random.choice(options)

    def _some(self, options: Sequence[Any], most: int) -> list[Any]:
        return [self._any(options) for _ in range(self._random.randint(0, most))]
