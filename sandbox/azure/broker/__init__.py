"""Service Bus and Event Hubs over real AMQP 1.0, in one process: `python -m sandbox.azure.broker --help`."""
