"""The ERP stand-in: customers and orders by their Dataverse id, once per Idempotency-Key."""
