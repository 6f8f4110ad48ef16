"""How a process is asked to stop, on every system.

Unix sends SIGTERM or SIGINT. Windows can only send a process group SIGBREAK (Ctrl-Break) or SIGINT (Ctrl-C), and its
event loops take no signal handlers.
"""

import asyncio
import signal
import sys
from collections.abc import Callable


def call_on_stop(stop: Callable[[], object]) -> None:
    """Call `stop` in the running event loop when this process is asked to stop; in the main thread only."""
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        for number in (signal.SIGINT, signal.SIGBREAK):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
