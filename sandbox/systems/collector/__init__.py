"""A stand-in for the OpenTelemetry collector: it takes spans and metrics over HTTP, keeps them, and shows traces."""
