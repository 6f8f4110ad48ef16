"""Route templates as ASP.NET reads them."""

import pytest

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.http.routes import RouteTemplate


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("api/plain", "/api/plain", {}),
        ("api/plain", "/API/Plain/", {}),
        ("{a}/{b}", "/x/y%2Fz", {"a": "x", "b": "y/z"}),
        ("{a}/{b?}", "/x", {"a": "x"}),
        ("{a}/{b=7}", "/x", {"a": "x", "b": "7"}),
        ("{id:int}", "/-12", {"id": "-12"}),
        ("{id:int}", "/1.5", None),
        ("{id:int}", "/2147483648", None),
        ("{id:guid}", "/6f9619ff-8b86-d011-b42d-00c04fc964ff", {"id": "6f9619ff-8b86-d011-b42d-00c04fc964ff"}),
        ("{id:guid}", "/1", None),
        ("{n:range(2,4)}", "/4", {"n": "4"}),
        ("{n:range(2,4)}", "/5", None),
        ("{n:min(2):max(4)}", "/1", None),
        ("{s:length(3)}", "/abcd", None),
        ("{s:minlength(2):maxlength(3)}", "/abc", {"s": "abc"}),
        ("{s:alpha}", "/a1", None),
        ("{s:regex(^a{{2}}b$)}", "/aab", {"s": "aab"}),
        ("{b:bool}", "/TRUE", {"b": "TRUE"}),
        ("{name}.{extension}", "/report.final.pdf", {"name": "report", "extension": "final.pdf"}),
        ("{*rest}", "/a/b", {"rest": "a/b"}),
        ("{*rest}", "/", {}),
        ("x/{**rest}", "/x/a/b", {"rest": "a/b"}),
    ],
)
def test_a_template_matches(template: str, path: str, values: dict[str, str] | None) -> None:
    assert RouteTemplate(template).match(path) == values


def test_an_unknown_constraint_stops_the_start() -> None:
    with pytest.raises(HostStartError, match="no constraint 'odd'"):
        RouteTemplate("{a:odd}")
