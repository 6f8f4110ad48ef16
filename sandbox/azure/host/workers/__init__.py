"""Running functions, in the process of the host or in several processes of their own; start at `dispatcher`."""
