"""Mutants have names, and a seed decides which of them a sample takes."""

from pathlib import Path

from sandbox.mutation.mutants import all_mutants, mutants_of, sample
from sandbox.repository import REPOSITORY

SOURCE = "def f(a, b):\n    return a < b or a < b\n"


def test_equal_changes_of_a_file_have_names_of_their_own() -> None:
    names = [mutant.name for mutant in mutants_of("integration/events/a.py", SOURCE)]

    assert len(set(names)) == len(names)


def test_a_mutant_keeps_its_name_when_the_code_above_it_grows() -> None:
    before = mutants_of("integration/events/a.py", SOURCE)
    after = mutants_of("integration/events/a.py", f'"""More."""\n\n{SOURCE}')

    assert [mutant.name for mutant in before] == [mutant.name for mutant in after]


def test_the_package_of_a_mutant_is_the_one_below_integration() -> None:
    assert {mutant.package for mutant in mutants_of("integration/worker/handlers/a.py", SOURCE)} == {"worker"}
    assert {mutant.package for mutant in mutants_of("integration/clock.py", SOURCE)} == {"clock"}


def test_a_seed_gives_the_same_sample_each_time_and_another_seed_another() -> None:
    mutants = all_mutants(REPOSITORY, {"events"})

    assert sample(mutants, 20, 1) == sample(reversed(mutants), 20, 1)
    assert sample(mutants, 20, 1) == sample(mutants, 40, 1)[:20]
    assert sample(mutants, 20, 1) != sample(mutants, 20, 2)


def test_code_that_changes_leaves_most_of_a_sample_as_it_was() -> None:
    """What a run of last week has found is found again."""
    mutants = all_mutants(REPOSITORY, {"transport"})
    fewer = [mutant for mutant in mutants if mutant.path != "integration/transport/body.py"]

    taken = sample(mutants, 30, 1)
    assert [it for it in taken if it in fewer] == [it for it in sample(fewer, 30, 1) if it in taken]


def test_only_the_packages_that_are_named_are_looked_at(tmp_path: Path) -> None:
    for name in ("events/a.py", "worker/b.py", "clock.py"):
        file = tmp_path / "integration" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(SOURCE)

    assert {it.path for it in all_mutants(tmp_path, {"worker", "clock"})} == {
        "integration/worker/b.py",
        "integration/clock.py",
    }
    assert {it.package for it in all_mutants(tmp_path)} == {"events", "worker", "clock"}
