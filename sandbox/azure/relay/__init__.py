"""A stand-in for Azure Relay Hybrid Connections: listeners over WebSockets, senders over HTTP."""
