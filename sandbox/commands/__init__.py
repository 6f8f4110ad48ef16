"""The commands of run.py: one module each, with `arguments(parser)` and `main(options)`."""
