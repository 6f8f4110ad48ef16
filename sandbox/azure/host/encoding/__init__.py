"""What the host hands to a function, value by value as the .NET host encodes it, its defects included."""
