"""What the host shows of an app that cannot be loaded."""

from sandbox.azure.host.workers.runtime import _frames

STACK = """Traceback (most recent call last):
  File "C:\\env\\azure_functions_runtime\\loader.py", line 9, in index
    load(path)
  File "C:\\app\\function_app.py", line 3, in <module>
    print("a\\nb")
"""


def test_source_lines_are_shown_as_they_are_written() -> None:
    """Backslashes of source and paths stay; the frames of loading are left out, also under Windows."""
    shown = _frames(STACK)
    assert 'print("a\\nb")' in shown
    assert 'File "C:\\app\\function_app.py", line 3' in shown
    assert "loader.py" not in shown
