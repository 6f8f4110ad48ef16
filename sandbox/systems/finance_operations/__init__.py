"""The Finance & Operations stand-in: data entities of one environment, for customers and sales orders."""
