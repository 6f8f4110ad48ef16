"""Replacements for Azure: Service Bus and Event Hubs, the Functions host, storage.

It knows nothing of the app.
"""
