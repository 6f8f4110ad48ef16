"""The listeners for Service Bus, Event Hubs and timers; `listeners` makes the one that a trigger needs."""
