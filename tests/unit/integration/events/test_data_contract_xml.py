"""XML of .NET's DataContractSerializer is read into what the JSON of the same context is read into."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events.body import parse_body
from integration.events.data_contract_xml import parse_xml
from integration.events.unread import UNREAD
from sandbox.repository import PAYLOADS
from sandbox.systems.dataverse.context_xml import dumps_xml
from tests.unit.integration.events.support import payload

WRITTEN_BY_NET = b"""<?xml version="1.0" encoding="utf-8"?>
<RemoteExecutionContext xmlns="http://schemas.microsoft.com/xrm/2011/Contracts"
    xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
  <Depth>1</Depth><InitiatingUserAgent/>
  <InputParameters xmlns:a="http://schemas.datacontract.org/2004/07/System.Collections.Generic">
    <KeyValuePairOfstringanyType><a:key>Target</a:key><a:value i:type="Entity">
      <Attributes>
        <KeyValuePairOfstringanyType><a:key>name</a:key>
          <a:value i:type="b:string" xmlns:b="http://www.w3.org/2001/XMLSchema">A &amp; B\xc3\xa9</a:value>
        </KeyValuePairOfstringanyType>
        <KeyValuePairOfstringanyType><a:key>revenue</a:key>
          <a:value i:type="Money"><Value>12.50</Value></a:value></KeyValuePairOfstringanyType>
        <KeyValuePairOfstringanyType><a:key>statuscode</a:key>
          <a:value i:type="OptionSetValue"><Value>2</Value></a:value></KeyValuePairOfstringanyType>
        <KeyValuePairOfstringanyType><a:key>modifiedon</a:key>
          <a:value i:type="b:dateTime" xmlns:b="http://www.w3.org/2001/XMLSchema">2017-09-26T00:04:07Z</a:value>
        </KeyValuePairOfstringanyType>
        <KeyValuePairOfstringanyType><a:key>accountid</a:key>
          <a:value i:type="b:guid" xmlns:b="http://schemas.microsoft.com/2003/10/Serialization/"
          >aaaaaaaa-0000-4000-8000-000000000001</a:value></KeyValuePairOfstringanyType>
        <KeyValuePairOfstringanyType><a:key>fax</a:key><a:value i:nil="true"/></KeyValuePairOfstringanyType>
        <KeyValuePairOfstringanyType><a:key>new_kinds</a:key><a:value i:type="OptionSetValueCollection">
          <OptionSetValue><Value>1</Value></OptionSetValue><OptionSetValue><Value>3</Value></OptionSetValue></a:value>
        </KeyValuePairOfstringanyType>
      </Attributes>
      <EntityState i:nil="true"/><FormattedValues/><Id>aaaaaaaa-0000-4000-8000-000000000001</Id>
      <KeyAttributes/><LogicalName>account</LogicalName><RelatedEntities/><RowVersion i:nil="true"/></a:value>
    </KeyValuePairOfstringanyType>
  </InputParameters>
  <IsInTransaction>false</IsInTransaction><MessageName>Update</MessageName><Mode>1</Mode>
  <OperationCreatedOn>2017-09-26T00:04:08-07:00</OperationCreatedOn>
  <ParentContext i:nil="true"/>
</RemoteExecutionContext>"""


def payloads() -> Iterator[str]:
    """The payloads that are contexts with dates as Dataverse itself writes them."""
    for path in sorted(PAYLOADS.rglob("*.json")):
        name = path.relative_to(PAYLOADS).as_posix().removesuffix(".json")
        if not name.endswith(".headers") and not name.startswith(("constructed/plugin_", "plugin_")):
            yield name


@pytest.mark.parametrize("name", [*payloads()])
def test_a_context_is_the_same_in_xml(name: str) -> None:
    """Every capture, and every body made after one: types, digits, dates, empty lists and nulls."""
    context = parse_body(payload(name))
    assert parse_xml(dumps_xml(context).encode()) == context


def test_what_net_writes_is_read() -> None:
    """Written by hand after .NET's documentation, with prefixes and white space of its own."""
    contracts = "http://schemas.microsoft.com/xrm/2011/Contracts"
    context = parse_xml(WRITTEN_BY_NET)
    (target,) = [pair["value"] for pair in context["InputParameters"]]
    columns = {pair["key"]: pair["value"] for pair in target["Attributes"]}
    assert json.loads(json.dumps(columns, default=str)) == {
        "name": "A & B\u00e9",
        "revenue": {"__type": f"Money:{contracts}", "Value": "12.50"},
        "statuscode": {"__type": f"OptionSetValue:{contracts}", "Value": 2},
        "modifiedon": "/Date(1506384247000)/",
        "accountid": "aaaaaaaa-0000-4000-8000-000000000001",
        "fax": None,
        "new_kinds": [{"__type": f"OptionSetValue:{contracts}", "Value": value} for value in (1, 3)],
    }
    assert (target["LogicalName"], target["FormattedValues"], target["RowVersion"]) == ("account", [], None)
    assert (context["OperationCreatedOn"], context["ParentContext"]) == ("/Date(1506409448000-0700)/", None)
    assert (context["Depth"], context["IsInTransaction"], context["InitiatingUserAgent"]) == (1, False, "")


@pytest.mark.parametrize(
    ("inner", "read"),
    [
        ('<Depth i:type="x:int">many</Depth>', UNREAD),
        ("<IsInTransaction>perhaps</IsInTransaction>", UNREAD),
        ("<OperationCreatedOn>yesterday</OperationCreatedOn>", UNREAD),
        ('<Unknown i:type="x:decimal">INF</Unknown>', UNREAD),
        ('<Unknown i:type="x:boolean">1</Unknown>', True),
        ('<Unknown i:type="x:dateTime">1969-12-31T23:59:59.9999999</Unknown>', "/Date(-1)/"),
        ('<InputParameters i:nil="true"/>', None),
    ],
)
def test_an_odd_value_is_a_value_that_cannot_be_read(inner: str, read: Any) -> None:
    """As in JSON: it never refuses the event by itself."""
    root = '<RemoteExecutionContext xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="x">'
    (found,) = parse_xml(f"{root}{inner}</RemoteExecutionContext>".encode()).values()
    assert found == read


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<RemoteExecutionContext>", "line 1"),
        (b"<a><b></a></b>", "not XML"),
        (b"<Entity/>", "must be RemoteExecutionContext"),
        (b"<RemoteExecutionContext>" * 5_000, "nested too deeply"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><RemoteExecutionContext>&a;</RemoteExecutionContext>', "document type"),
        (b"<!DOCTYPE RemoteExecutionContext SYSTEM 'file:///etc/passwd'><RemoteExecutionContext/>", "document type"),
        (b"\xff\xfe<\x00a\x00/\x00>\x00", "must be"),
        (b"", "not XML"),
    ],
)
def test_what_is_no_context_is_refused(body: bytes, why: str) -> None:
    """With the place; no entity is expanded, and nothing is fetched."""
    with pytest.raises(Rejected, match=why) as refused:
        parse_xml(body)
    assert refused.value.status == 400
