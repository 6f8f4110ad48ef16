"""Running functions, in the process of the host or in several of their own; `dispatcher` is the way there."""
