"""The table of contents: every function of the app, by blueprint."""

import gc
import os

gc.disable()  # what is loaded here stays: to look for garbage in it takes an eighth of the time of loading

from integration.composition.app import build_app, start_telemetry  # noqa: E402 -- see above
from integration.settings import Settings  # noqa: E402 -- see above

settings = Settings.from_environment(os.environ)
app = build_app(settings)

# Nearly all that an event leaves behind is freed by counting references: with the usual thresholds (700), looking for
# the little else there is takes a twelfth of the worker's time.
gc.freeze()
gc.set_threshold(20_000, 10, 10)
gc.enable()

start_telemetry(settings)
