"""The package holds the app and nothing else, and starts with requirements.txt alone."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import INFRA, Expansion
from tests.contract.infra.conftest import REASON
from tests.contract.infra.test_deployed_settings import resolved

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".sandbox", ".*_cache", ".hypothesis", "__pycache__", "node_modules"
)
JUNK = (
    "local.settings.json",
    ".env",
    ".azure/dev/.env",
    ".venv/lib/python3.11/site-packages/requests/api.py",
    ".python_packages/lib/site-packages/x.py",
    "repository_env/lib/x.py",
    "__blobstorage__/blob",
    "__azurite_db_table__.json",
    "node_modules/azurite/index.js",
    "integration/__pycache__/settings.cpython-311.pyc",
    "integration/worker/.DS_Store",
    "dist/old.zip",
    "build/lib/integration/settings.py",
    "intake-keys",
    "erp-api-key",
    "dataverse-client-secret",
)
"""What developers' machines have lying about."""
LIST_FUNCTIONS = """
import json, function_app
from datetime import datetime
from integration.console import html
from integration.operations import explained
common = {name: "" for name in ("environment", "query", "section", "said", "version", "to")}
page = html.render("sign_in.html", {
    **common, "person": {"name": ""}, "now": datetime.now().astimezone(), "alert": None, "platform": True,
    "refused": False,
})
assert all(name in page and html.asset(name) for name in html.TYPES), page
assert explained.reason("erp-rejected")
print(json.dumps([function.get_function_name() for function in function_app.app.get_functions()]))
"""
UNREACHABLE = ("NewConnectionError", "ConnectionError", "Temporary failure in name resolution", "Read timed out")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a copy of this repository with junk in it."""
    copy = tmp_path_factory.mktemp("copy") / "repository"
    shutil.copytree(REPOSITORY, copy, ignore=NOT_COPIED)
    for name in JUNK:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("junk", encoding="utf-8")
    made = copy.parent / "app.zip"
    make(copy, made)
    return made


def make(root: Path, package: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "infra/package.py", str(package), *options],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def names(package: Path) -> set[str]:
    with zipfile.ZipFile(package) as archive:
        return set(archive.namelist())


def test_the_package_is_the_app_and_nothing_else(package: Path) -> None:
    """function_app.py and three more files, and all of integration/ with its data files; no junk."""
    app = {
        path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "integration").rglob("*") if path.is_file()
    }
    kept = {name for name in app if "__pycache__" not in name}
    assert {"integration/py.typed", "integration/operations/reasons.json"} <= kept
    assert names(package) == {"function_app.py", "host.json", "requirements.txt", "dataverse.toml", *kept}


def test_the_files_of_environments_are_in_the_package_where_there_are_any(package: Path, tmp_path: Path) -> None:
    """The nightly comparison of Dataverse with its declaration needs that of its environment (DRIFT_ENVIRONMENT)."""
    copy = package.parent / "repository"
    file = copy / "environments" / "production.toml"
    file.parent.mkdir()
    try:
        file.write_text('url = "https://contoso.crm4.dynamics.com"\n', encoding="utf-8")
        done = make(copy, tmp_path / "app.zip")
    finally:
        shutil.rmtree(file.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(tmp_path / "app.zip") - names(package) == {"environments/production.toml"}


@pytest.mark.parametrize("sink", ["lake", "delta"])
def test_the_package_of_a_sink_has_its_libraries_and_nothing_else_besides(
    package: Path, tmp_path: Path, sink: str
) -> None:
    """The remote build installs what it finds as requirements.txt."""
    made = tmp_path / f"{sink}.zip"
    make(package.parent / "repository", made, f"--{sink}")
    assert names(made) == names(package)
    with zipfile.ZipFile(made) as archive:
        assert archive.read("requirements.txt") == (REPOSITORY / f"requirements-{sink}.txt").read_bytes()


def test_a_new_folder_at_the_top_is_refused(tmp_path: Path) -> None:
    """Whoever adds one decides whether it is deployed: it never slips in."""
    for name in ("function_app.py", "host.json", "requirements.txt", "dataverse.toml", ".funcignore"):
        shutil.copy(REPOSITORY / name, tmp_path)
    for name in ("integration", "infra", "scripts"):
        (tmp_path / name).mkdir()
    shutil.copy(INFRA / "package.py", tmp_path / "infra")
    (tmp_path / "integration" / "__init__.py").touch()
    (tmp_path / "scripts" / "new.py").touch()
    done = make(tmp_path, tmp_path / "app.zip")
    assert (done.returncode, "scripts" in done.stderr) == (1, True)
    assert not (tmp_path / "app.zip").exists()


def test_the_same_tree_gives_the_same_package(package: Path, tmp_path: Path) -> None:
    """What was tested is what is deployed, byte by byte, whoever makes it."""
    again = tmp_path / "again.zip"
    copy = package.parent / "repository"
    for path in copy.rglob("*.py"):
        os.utime(path, (0, 0))
    make(copy, again)
    assert again.read_bytes() == package.read_bytes()


def test_the_package_starts_with_its_own_requirements_alone(package: Path, tmp_path: Path) -> None:
    """A library of development alone, imported by the app, would be missed only in Azure.

    Installs requirements.txt into a new environment, loads function_app from the package with the development
    environment's settings, renders a page of the console with its templates and assets, and lists the functions. The
    slowest test of this folder (10 s, 40 s without pip's cache); it runs by default, as nothing else here would show it
    before the app is in Azure.
    """
    app = tmp_path / "app"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(app)
    # Filled by the pip that is here: a pip of its own would take as long as half of what it installs.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)  # noqa: S603 -- our Python
    python = tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
    pip += ["--disable-pip-version-check", "--no-input", "--no-compile"]
    installed = subprocess.run(  # noqa: S603 -- our own environment
        [*pip, "-r", str(app / "requirements.txt")], capture_output=True, text=True, check=False
    )
    if installed.returncode and any(word in installed.stderr for word in UNREACHABLE):
        pytest.skip(f"{REASON}no package index reached: package not started")
    assert installed.returncode == 0, installed.stderr
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "TEMP")}
    loaded = subprocess.run(  # noqa: S603 -- our own environment
        [str(python), "-c", LIST_FUNCTIONS],
        cwd=app,
        env={**bare, **resolved(Expansion.golden("dev").settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    topology = json.loads((INFRA / "topology.json").read_text(encoding="utf-8"))
    declared = [it["name"] for kind in topology["functions"].values() for it in kind]
    assert sorted(json.loads(loaded.stdout)) == sorted(declared)
