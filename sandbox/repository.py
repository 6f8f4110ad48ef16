"""Where the files of this repository lie."""

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
# Programs that the sandbox installs once, shared by all its state directories.
TOOLS: Final = REPOSITORY / ".sandbox" / "tools"
# Bodies captured from real environments, and some built after them; the demo and the tests send them.
PAYLOADS: Final = REPOSITORY / "tests" / "payloads"
