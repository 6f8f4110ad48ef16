"""What the adapters of systems that speak OData and honour no Idempotency-Key have in common."""
