"""A local Azure Functions host for the Python v2 programming model, around Microsoft's `azure-functions-runtime`.

It indexes and runs the functions through the package that runs them in Azure, in this process, and does what the .NET
host does around it: HTTP front, Service Bus and Event Hubs listeners, timers, and the encodings between them.
"""
