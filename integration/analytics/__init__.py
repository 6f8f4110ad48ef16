"""From the hub of settled events to where analysts read."""
