"""The Business Central stand-in: API v2.0 of one environment, with customers and sales orders."""
