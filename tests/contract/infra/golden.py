"""Write the golden expansions anew: python -m tests.contract.infra.golden. Review the diff as you would review code."""

from tests.contract.infra.bicep import ENVIRONMENTS, GOLDEN, golden_text

if __name__ == "__main__":
    for name in ENVIRONMENTS:
        (GOLDEN / f"{name}.json").write_text(golden_text(name), encoding="utf-8")
