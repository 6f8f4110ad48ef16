"""Any other system of the REST contract, for flows of which the sandbox knows nothing but what they declare."""
