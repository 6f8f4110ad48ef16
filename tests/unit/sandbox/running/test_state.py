"""The state directory: keys that last, one sandbox at a time, forgetting."""

from pathlib import Path

import pytest

from sandbox.running.state import StateDirectory, StateInUseError


def test_keys_are_made_once(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.open()
    first = state.keys()
    assert StateDirectory(tmp_path).keys() == first


def test_two_directories_have_different_keys(tmp_path: Path) -> None:
    states = [StateDirectory(tmp_path / name) for name in ("one", "two")]
    for state in states:
        state.open()
    assert states[0].keys().webhook != states[1].keys().webhook


def test_a_second_sandbox_on_the_same_directory_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first, second = StateDirectory(tmp_path), StateDirectory(tmp_path)
    first.open()
    with pytest.raises(StateInUseError, match="already runs"):
        second.open()
    first.close()
    second.open()


def test_a_refused_sandbox_leaves_the_endpoints_of_the_running_one(tmp_path: Path) -> None:
    first, second = StateDirectory(tmp_path), StateDirectory(tmp_path)
    first.open()
    first.endpoints.touch()
    with pytest.raises(StateInUseError):
        second.open()
    second.withdraw_endpoints()
    assert first.endpoints.exists()


def test_forgetting_makes_new_keys(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.open()
    before = state.keys()
    state.forget()
    assert state.keys() != before


def test_endpoints_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").touch()
    StateDirectory(tmp_path).open()
    assert not (tmp_path / "endpoints.json").exists()
