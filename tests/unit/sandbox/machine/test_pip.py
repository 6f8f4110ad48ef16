"""What pip's output shows about its progress."""

import sys
from pathlib import Path

import pytest

from sandbox.machine.pip import Fetching, PipError, install

OUTPUT = """\
Collecting azure-functions==1.24.0 (from -r requirements.txt (line 1))
  Downloading azure_functions-1.24.0-py3-none-any.whl.metadata (7.3 kB)
Requirement already satisfied: msal==1.34 in ./lib (from -r requirements.txt (line 2)) (1.34)
Collecting werkzeug~=3.1 (from azure-functions==1.24.0)
  Using cached werkzeug-3.1.3-py3-none-any.whl.metadata (3.7 kB)
Using legacy 'setup.py install' for x
Installing collected packages: werkzeug, azure-functions
Successfully installed azure-functions-1.24.0 werkzeug-3.1.3
"""


def test_packages_are_counted_and_named_as_pip_fetches_them() -> None:
    """Needed packages that no pin names are added to the total."""
    fetching = Fetching(["azure_functions", "msal"])
    named = [fetching.read(line) for line in OUTPUT.splitlines()]
    assert named[:5] == ["azure-functions", "azure_functions", "msal", "werkzeug", "werkzeug"]
    assert not any(named[5:])
    assert (fetching.done, fetching.total) == (2, 3)
    assert fetching.unpacking == ["werkzeug", "azure-functions"]


def test_a_pin_for_another_system_is_not_waited_for() -> None:
    fetching = Fetching(["colorama", "msal"])
    assert fetching.read("Ignoring colorama: markers 'sys_platform == \"win32\"' don't match your environment") == ""
    assert fetching.total == 1


def test_a_failure_has_pips_last_words(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("./there-is-no-such-folder\n")
    with pytest.raises(PipError, match="there-is-no-such-folder"):
        install(Path(sys.executable), [file])
