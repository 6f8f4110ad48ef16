"""Create, store and rotate the secrets of a deployed app, and list which are missing or due.

    run.py secrets list --group GROUP --app APP
    run.py secrets create --group GROUP --app APP
    run.py secrets set erp-api-key --group GROUP --app APP
    run.py secrets rotate intake-keys dataverse --group GROUP --app APP
    run.py secrets finish intake-keys dataverse --group GROUP --app APP

Which secrets there have to be, and in which vault, is read from the app's settings. It needs az, signed in as
somebody with the roles Key Vault Secrets Officer on the vault and Website Contributor on the app. `rotate` gives a
caller a second key, asks the app to read it, and shows it once; the first key stays valid until `finish`. With
--dry-run nothing is changed, and the commands of az are printed.
"""

import argparse
import getpass
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.commands.here import CommandError
from sandbox.deployment.app_secrets import AppSecrets, NoReferencesError, Secret
from sandbox.deployment.az import Az, AzError
from sandbox.deployment.key_ring import KeyRing, KeyRingError, new_key
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import PYTHON, listed

FIRST_CALLERS = {
    "intake-keys": ("dataverse", "plugin"),
    "operations-keys": ("support",),
    "virtual-table-keys": ("dataverse",),
}
"""The callers that each ring of keys begins with."""
_SOON = timedelta(days=30)
_READ_SECONDS = 120.0
_STEPS = {
    "add": "give another caller its first key",
    "rotate": "give a caller its next key; the present one stays valid",
    "finish": "end a rotation: take the first of a caller's two keys away",
    "remove": "take a caller and its keys away",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")
    shown = actions.add_parser("list", help="list the secrets: which are missing, due, or not yet read by the app")
    create = actions.add_parser("create", help="make the keys of callers that do not exist yet, and show them once")
    store = actions.add_parser("set", help="store a secret that somebody gave you")
    store.add_argument("secret", metavar="SECRET", help="its name in the vault, such as erp-api-key")
    store.add_argument("--file", type=Path, metavar="FILE", help="read it from here; otherwise it is asked for")
    for action, does in _STEPS.items():
        step = actions.add_parser(action, help=does)
        step.add_argument(
            "secret", choices=sorted(FIRST_CALLERS), metavar="SECRET", help=listed(sorted(FIRST_CALLERS), "or")
        )
        step.add_argument("caller", metavar="CALLER", help="such as dataverse")
        if action == "finish":
            step.add_argument("--force", action="store_true", help="even if the app has not read the second key")
        _add_common(step, changes=True)
    _add_common(shown, changes=False)
    for each in (create, store):
        _add_common(each, changes=True)


def _add_common(parser: argparse.ArgumentParser, *, changes: bool) -> None:
    parser.add_argument("--group", required=True, metavar="GROUP", help="the resource group")
    parser.add_argument("--app", required=True, metavar="APP", help="the function app")
    if changes:
        parser.add_argument("--days", type=int, default=180, metavar="N", help="due in so many days (%(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="print what would be done, and change nothing")


def main(options: argparse.Namespace) -> int:
    """0; from `list` 1 if a secret is missing, due, or not yet read by the app."""
    screen = Screen()
    az = Az(screen.raw, plan=getattr(options, "dry_run", False))
    try:
        return _Command(screen, AppSecrets(az, group=options.group, app=options.app), options).run()
    except (AzError, KeyRingError, NoReferencesError) as error:
        raise CommandError(str(error)) from error


class _Command:
    """One action on the secrets of an app."""

    def __init__(self, screen: Screen, secrets: AppSecrets, options: argparse.Namespace) -> None:
        self._screen = screen
        self._secrets = secrets
        self._options = options
        self._now = datetime.now(UTC)

    def run(self) -> int:
        """The exit status."""
        actions = {
            "list": self._list,
            "create": self._create,
            "set": self._set,
            "add": self._add,
            "rotate": self._rotate,
            "finish": self._finish,
            "remove": self._remove,
        }
        return actions[self._options.action]()

    def _list(self) -> int:
        found = self._secrets.all()
        self._screen.title(f"Secrets of {self._options.app}, in the vault {self._secrets.vault}")
        said = [_state(it, self._now) for it in found]
        rows = [
            (it.name, state, f"{it.created:%Y-%m-%d}" if it.created else "", f"{it.due:%Y-%m-%d}" if it.due else "")
            for it, state in zip(found, said, strict=True)
        ]
        self._screen.table(("secret", "state", "stored on", "due on"), rows)
        for it in found:
            if it.version is None:
                hint = "create" if it.name in FIRST_CALLERS else f"set {it.name}"
                self._screen.say()
                self._screen.command(f"{PYTHON} run.py secrets {hint} {self._where}")
        return 0 if all(it == "ok" for it in said) else 1

    def _create(self) -> int:
        present = {it.name for it in self._secrets.all() if it.version}
        made = [name for name in FIRST_CALLERS if name in self._secrets.settings and name not in present]
        for name in made:
            ring = KeyRing({caller: (new_key(),) for caller in FIRST_CALLERS[name]})
            self._store(name, ring.text())
            for caller, (key,) in ring.callers.items():
                self._show(name, caller, key)
        if not made:
            self._screen.say("All keys of callers exist; rotate gives a caller the next one.")
        for name in sorted(self._secrets.settings.keys() - FIRST_CALLERS.keys() - present):
            self._screen.say()
            self._screen.say(f"{name} is missing. When you have it:")
            self._screen.command(f"{PYTHON} run.py secrets set {name} {self._where}")
        return 0

    def _set(self) -> int:
        name = self._options.secret
        if name not in self._secrets.settings:
            raise CommandError(
                f"No setting of the app refers to {name}; they refer to {listed(sorted(self._secrets.settings))}."
            )
        if name in FIRST_CALLERS:
            raise CommandError(f"{name} has the keys of several callers: use create, add and rotate.")
        value = self._given(name)
        if not value:
            raise CommandError("An empty secret is not stored.")
        self._store(name, value)
        return self._read(name, "The app uses it now.")

    def _add(self) -> int:
        ring, key = self._ring().add(self._options.caller)
        return self._next(ring, key, "The app knows it: give it to the caller.")

    def _rotate(self) -> int:
        ring, key = self._ring().rotate(self._options.caller)
        status = self._next(ring, key, "The app knows it: give it to the caller. The former key is valid until:")
        self._screen.command(
            f"{PYTHON} run.py secrets finish {self._options.secret} {self._options.caller} {self._where}"
        )
        return status

    def _finish(self) -> int:
        name = self._options.secret
        ring = self._ring().finish(self._options.caller)
        if not self._options.force and not self._secrets.wait_until_read(name, seconds=0):
            raise CommandError(
                "The app has not read the second key yet, so the first one stays. Try again in some minutes: run.py "
                "secrets list says when it has. --force goes on where the app does not say which version it uses."
            )
        self._store(name, ring.text())
        return self._read(name, f"{self._options.caller} has one key now.")

    def _remove(self) -> int:
        name = self._options.secret
        self._store(name, self._ring().remove(self._options.caller).text())
        return self._read(name, f"{self._options.caller} is admitted no more.")

    def _ring(self) -> KeyRing:
        return KeyRing.read(self._secrets.value(self._options.secret))

    def _next(self, ring: KeyRing, key: str, then: str) -> int:
        self._store(self._options.secret, ring.text())
        self._show(self._options.secret, self._options.caller, key)
        return self._read(self._options.secret, then)

    def _store(self, name: str, value: str) -> None:
        self._secrets.store(name, value, due=self._now + timedelta(days=self._options.days))

    def _show(self, name: str, caller: str, key: str) -> None:
        if self._options.dry_run:
            self._screen.say(f"would show once the key of {caller} in {name}")
            return
        self._screen.say()
        self._screen.say(f"The key of {caller} in {name}, shown this once:")
        self._screen.raw(f"  {key}")

    def _read(self, name: str, then: str) -> int:
        if self._options.dry_run:
            return 0
        if self._secrets.wait_until_read(name, seconds=_READ_SECONDS):
            self._screen.say(then, STYLES["ok"])
            return 0
        self._screen.say(
            f"{name} is stored, but the app does not use this version yet. It takes it up within a day, mostly within "
            f"minutes; run.py secrets list {self._where} says when. Nobody may send a new key before that.",
            STYLES["note"],
        )
        return 1

    def _given(self, name: str) -> str:
        if self._options.file is not None:
            text = str(self._options.file.read_text(encoding="utf-8"))
        elif sys.stdin.isatty():
            text = getpass.getpass(f"{name} (it is not shown): ")
        else:
            text = sys.stdin.read()
        return text.rstrip("\r\n")

    @property
    def _where(self) -> str:
        return f"--group {self._options.group} --app {self._options.app}"


def _state(secret: Secret, now: datetime) -> str:
    if secret.version is None:
        return "missing"
    if secret.due is not None and secret.due < now + _SOON:
        return "due" if secret.due < now else "soon due"
    if not secret.is_read:
        return f"not read yet ({secret.status})"
    return "ok"
