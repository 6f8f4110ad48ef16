"""The table of contents: every function of the app, by blueprint."""

import os

from integration.composition import build_app
from integration.settings import Settings

app = build_app(Settings.from_environment(os.environ))
