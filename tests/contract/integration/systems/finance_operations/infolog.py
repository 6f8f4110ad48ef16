"""Bodies in which Finance & Operations says what X++ has refused."""

import json


def said_by_xpp(infolog: str, kind: str = "AxODataWriteException") -> str:
    """The body of an answer; the shape is that of bodies that an environment has answered."""
    inner = {
        "message": f"Write failed for table row of type 'CustCustomerV3Entity'. Infolog: {infolog}",
        "type": f"Microsoft.Dynamics.Platform.Integration.Services.OData.{kind}",
        "stacktrace": "   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update.UpdateProcessor",
    }
    return json.dumps({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}})
