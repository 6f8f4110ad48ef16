"""Sinks that copy settled events from the event hub to where analysts read them.

All stand behind one port (`sink.Sink`), and all are driven by `delivery.Delivery`: docs/how-to/analytics.md.
"""
