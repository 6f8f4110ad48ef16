"""The values that the host passes to a function, encoded as the .NET host does it, including its defects."""
