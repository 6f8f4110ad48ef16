"""The AMQP client of the host: one connection for each Service Bus or Event Hubs namespace, kept up."""
