"""The credit-scoring stand-in: every answer that is not a replay is charged."""
