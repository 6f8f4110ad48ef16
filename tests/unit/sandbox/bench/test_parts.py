"""CPU by part of a host's process."""

from sandbox.bench.parts import CODE, REST, parts, per_event

STATS = {
    "processSeconds": 10.0,
    "functionSeconds": 4.0,
    "threadSeconds": {
        "MainThread": 3.0,
        "ThreadPoolExecutor-0_7": 4.0,
        "work-queue-1": 1.0,
        "work-queue-2": 0.5,
        "Thread-9 (keep_alive)": 0.25,
    },
}


def test_threads_of_the_app_are_known_by_name_and_the_rest_is_the_host() -> None:
    """Numbers in thread names mean nothing; function code is not counted twice, though a thread of the pool ran it."""
    assert parts(STATS) == {CODE: 4.0, "thread work-queue": 1.5, "thread keep_alive": 0.25, REST: 4.25}


def test_parts_are_what_was_taken_between_two_readings() -> None:
    """In milliseconds per event; what took nothing is not listed."""
    assert per_event({CODE: 1.0, REST: 2.0}, {CODE: 3.0, REST: 2.0}, 1000) == {CODE: 2.0}
