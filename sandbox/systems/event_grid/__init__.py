"""The publishing endpoints of Azure Event Grid: a custom topic for CloudEvents, and a topic of a namespace."""
