"""Sinks that copy settled events from the event hub to where analysts read them."""
