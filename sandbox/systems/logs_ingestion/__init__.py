"""The Logs Ingestion API of Azure Monitor: the endpoint of a data collection rule, and its table."""
