"""The calls of docs/how-to/connect-dataverse.md that follow from the flows: columns, keys, privileges, steps."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from documentation import inbound
from documentation.blocks import code, table
from documentation.columns import PREFIX, TYPES, holds, key, result_attribute
from documentation.flows import declared, results
from integration.flow import Flow, Result
from integration.flow.handler import pre_image_of

_SOLUTION = "MSCRM.SolutionUniqueName: <solution>"


def parts() -> dict[str, Callable[[], str]]:
    """The generated parts of the page."""
    return {
        "result-columns": result_columns,
        "result-column-calls": lambda: "\n\n".join(_column_calls()),
        "result-key-calls": lambda: "\n\n".join(_key_calls()),
        "privileges": privileges,
        "privilege-calls": lambda: "\n\n".join(_privilege_calls()),
        "filter-calls": lambda: "\n\n".join(_filter_calls()),
        "update-step-calls": lambda: "\n\n".join(_update_step_calls()),
        "other-step-calls": lambda: "\n\n".join(_other_step_calls()),
        "image-calls": lambda: "\n\n".join(_image_calls()),
    }


def result_columns() -> str:
    """Every column that is written, on which tables, and what it holds."""
    rows = [[code(f"{PREFIX}_{it.name}"), ", ".join(tables), holds(it)] for it, tables in _results()]
    return table(["column", "on", "holds"], rows)


def privileges() -> str:
    """What the application user's role has to allow."""
    read, write, create = _needed_privileges()
    rows = [[", ".join(map(code, read)), "read the row that an event is about, and what it needs"]]
    if write:
        rows.append([", ".join(map(code, write)), "write the result columns"])
    if create:
        rows.append([", ".join(map(code, create)), "create what comes from another system"])
    rows.append([code("prvReadTransactionCurrency"), f"the ISO code behind {code('transactioncurrencyid')}"])
    return table(["privilege", "why"], rows)


def _flows() -> list[Flow[Any]]:
    return list(declared().values())


def _results() -> list[tuple[Result, list[str]]]:
    """Each result column with its tables; the same one on several tables is one entry."""
    found: list[tuple[Result, list[str]]] = []
    of_table = [(flow.table, result) for flow in _flows() for result in results(flow)]
    of_table += [(table, it) for flow in inbound.declared().values() for table in flow.tables for it in flow.results]
    for name, result in of_table:
        tables = next((tables for known, tables in found if known == result), None)
        if tables is None:
            found.append((result, [name]))
        elif name not in tables:
            tables.append(name)
    return found


def _column_calls() -> Iterator[str]:
    for result, tables in _results():
        attribute = result_attribute(result)
        body: dict[str, Any] = {
            "@odata.type": f"Microsoft.Dynamics.CRM.{TYPES[result.kind]}AttributeMetadata",
            "AttributeType": attribute["AttributeType"],
            "AttributeTypeName": {"Value": f"{TYPES[result.kind]}Type"},
            "SchemaName": attribute["SchemaName"],
        }
        if result.kind == "text":
            body |= {"FormatName": {"Value": "Text"}, "MaxLength": result.max_length}
        elif result.kind == "whole":
            body |= {"Format": "None", "MinValue": result.minimum, "MaxValue": result.maximum}
        elif result.kind == "amount":
            body |= {"Precision": 2}
        elif result.kind == "moment":
            body |= {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}
        else:
            options = [{**it, "Label": _label(it["Label"])} for it in attribute["OptionSet"]["Options"]]
            body["OptionSet"] = {
                "@odata.type": "Microsoft.Dynamics.CRM.OptionSetMetadata",
                "IsGlobal": False,
                "OptionSetType": "Picklist",
                "Options": options,
            }
        body["DisplayName"] = _label(result.label)
        body["RequiredLevel"] = {
            "Value": "None",
            "CanBeChanged": True,
            "ManagedPropertyLogicalName": "canmodifyrequirementlevelsettings",
        }
        yield _for_tables(tables, "POST EntityDefinitions(LogicalName='<table>')/Attributes", body)


def _key_calls() -> Iterator[str]:
    for result, tables in _results():
        if result.key:
            body = {
                "@odata.type": "Microsoft.Dynamics.CRM.EntityKeyMetadata",
                "SchemaName": key(result)["SchemaName"],
                "DisplayName": _label(result.label),
                "KeyAttributes": key(result)["KeyAttributes"],
            }
            yield _for_tables(tables, "POST EntityDefinitions(LogicalName='<table>')/Keys", body)
            yield _block(f"GET EntityDefinitions(LogicalName='{tables[-1]}')/Keys")


def _privilege_calls() -> Iterator[str]:
    names = ", ".join([*(it for many in _needed_privileges() for it in many), "prvReadTransactionCurrency"])
    real, each = "# real environment only", f"# for <privilege> in {names}"
    keep = "# keep <id-of-<privilege>> = value[0].privilegeid"
    yield _block(f"{real}\n{each}\n{keep}\nGET privileges?$filter=name eq '<privilege>'&$select=privilegeid")
    body = (
        '{\n  "Privileges": [\n'
        '    {"Depth": "Global", "PrivilegeId": "<id-of-<privilege>>", "BusinessUnitId": "<business-unit>"}\n  ]\n}'
    )
    yield _block(f"{real}\n{each}\nPOST roles(<role>)/Microsoft.Dynamics.CRM.AddPrivilegesRole\n\n{body}")


def _needed_privileges() -> tuple[list[str], list[str], list[str]]:
    """To read, to write and to create, each privilege once."""
    back = inbound.declared().values()
    read = [*(it.table for it in _flows()), *(table for flow in back for table in flow.tables)]
    write = [*(it.table for it in _flows() if it.results), *(table for flow in back for table in flow.tables)]
    create = [table for flow in back if flow.creates for table in flow.tables]
    return _privileges("Read", read), _privileges("Write", write), _privileges("Create", create)


def _privileges(verb: str, tables: list[str]) -> list[str]:
    """The privileges of tables, whose names begin with a capital letter where they are Microsoft's own."""
    return [f"prv{verb}{it if '_' in it else it.capitalize()}" for it in dict.fromkeys(tables)]


def _filter_calls() -> Iterator[str]:
    yield _block(
        f"# for <message> in {', '.join(_messages())}\n# keep <id-of-<message>> = value[0].sdkmessageid\n"
        "GET sdkmessages?$filter=name eq '<message>'&$select=sdkmessageid"
    )
    for message in _messages():
        keep = f"# keep <{message.lower()}-of-<table>> = value[0].sdkmessagefilterid"
        where = f"primaryobjecttypecode eq '<table>' and sdkmessageid/name eq '{message}'"
        request = f"GET sdkmessagefilters?$filter={where}&$select=sdkmessagefilterid"
        yield _block(f"# for <table> in {', '.join(_tables(message))}\n{keep}\n{request}")


def _update_step_calls() -> Iterator[str]:
    for flow in _flows():
        if "Update" in flow.messages:
            yield _block(_step("Update", flow.table, flow.filtering_attributes))


def _other_step_calls() -> Iterator[str]:
    for message in _messages():
        if message == "Update":
            continue
        comments = [f"# for <table> in {', '.join(_tables(message))}"]
        if message == "Delete":
            comments.append("# keep <delete-step-of-<table>> = OData-EntityId")
        yield _block("\n".join([*comments, _step(message, "<table>", ())]))


def _image_calls() -> Iterator[str]:
    """An image for each flow that wants one, else how it would be registered."""
    wanting = [it for it in _flows() if it.pre_image]
    if not wanting:
        yield "No flow asks for one today."
    for flow in wanting:
        body = {
            "name": "PreImage",
            "entityalias": "PreImage",
            "imagetype": 0,
            "messagepropertyname": "Target",
            "attributes": ",".join(pre_image_of(flow, PREFIX)),
            "sdkmessageprocessingstepid@odata.bind": f"/sdkmessageprocessingsteps(<delete-step-of-{flow.table}>)",
        }
        yield _block(f"POST sdkmessageprocessingstepimages\n{_SOLUTION}\n\n{_json(body)}")


def _step(message: str, table_name: str, filtering_attributes: tuple[str, ...]) -> str:
    body: dict[str, Any] = {
        "name": f"integration: {message} of {table_name}",
        "stage": 40,
        "mode": 1,
        "rank": 1,
        "supporteddeployment": 0,
        "asyncautodelete": True,
    }
    if filtering_attributes:
        body["filteringattributes"] = ",".join(filtering_attributes)
    body |= {
        "eventhandler_serviceendpoint@odata.bind": "/serviceendpoints(<endpoint>)",
        "sdkmessageid@odata.bind": f"/sdkmessages(<id-of-{message}>)",
        "sdkmessagefilterid@odata.bind": f"/sdkmessagefilters(<{message.lower()}-of-{table_name}>)",
    }
    return f"POST sdkmessageprocessingsteps\n{_SOLUTION}\n\n{_json(body)}"


def _messages() -> list[str]:
    return list(dict.fromkeys(message for flow in _flows() for message in flow.messages))


def _tables(message: str) -> list[str]:
    return [flow.table for flow in _flows() if message in flow.messages]


def _for_tables(tables: list[str], request: str, body: dict[str, Any]) -> str:
    return _block(f"# for <table> in {', '.join(tables)}\n{request}\n{_SOLUTION}\n\n{_json(body)}")


def _label(text: str) -> dict[str, Any]:
    label = {"@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": text, "LanguageCode": 1033}
    return {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [label]}


def _json(body: dict[str, Any]) -> str:
    """A line for each property, and for each option of a choice."""
    lines = [f"  {json.dumps(name)}: {_value(value)}" for name, value in body.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _value(value: Any) -> str:
    if isinstance(value, dict) and "Options" in value:
        inner = [f"    {json.dumps(name)}: {json.dumps(it)}" for name, it in value.items() if name != "Options"]
        options = ",\n".join(f"      {json.dumps(it)}" for it in value["Options"])
        return "{\n" + ",\n".join(inner) + f',\n    "Options": [\n{options}\n    ]\n  }}'
    return json.dumps(value)


def _block(text: str) -> str:
    return f"```http\n{text}\n```"
