"""A local Azure Functions host for the Python v2 programming model, around Microsoft's `azure-functions-runtime`.

It indexes and runs the functions with the same package as Azure, in this process. Around it, it does what the .NET host
does: HTTP front, Service Bus and Event Hubs listeners, timers, and the encodings between them.
"""
