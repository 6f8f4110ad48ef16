"""The options that the stand-ins have in common, and their defaults, which are named after the system."""

import argparse
from pathlib import Path


def stand_in_parser(name: str) -> argparse.ArgumentParser:
    """A parser with the port, the file of the database, and the client that gets tokens; `name` is the system's."""
    parser = argparse.ArgumentParser(prog=f"sandbox.systems.{name}")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db", type=Path, required=True, help="the file of the database")
    parser.add_argument("--client-id", default=_default(name, "client"))
    parser.add_argument("--client-secret", default=_default(name, "secret"))
    return parser


def add_api_key(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the key for callers that sign in without a token."""
    parser.add_argument("--api-key", default=_default(name, "key"))


def _default(name: str, what: str) -> str:
    return f"{name.replace('_', '-')}-sandbox-{what}"
