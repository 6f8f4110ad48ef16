"""One run of the bench: what is started, what is measured in which order, and the results."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sandbox.bench import environment, proc, report, telemetry
from sandbox.bench.cold_import import cold_import, median_ms
from sandbox.bench.comparator import Comparator, with_dbos, with_rabbitmq
from sandbox.bench.counting import count_table_calls
from sandbox.bench.end_to_end import EndToEnd, end_to_end
from sandbox.bench.goals import APP, OLD_APP, Goal, goals
from sandbox.bench.growth import Chunk, Growth, grow
from sandbox.bench.measures import Bench
from sandbox.bench.product import Product
from sandbox.bench.rabbitmq import MissingError, RabbitMq
from sandbox.bench.rounds import Measured, compare, parts_of
from sandbox.bench.subject import OutsideSystems, Subject
from sandbox.bench.telemetry import costs
from sandbox.bench.workload import Workload
from sandbox.machine.ports import free_ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY, TOOLS
from sandbox.running import programs
from sandbox.running.endpoints import storage_connection
from sandbox.storage import connection_parts

S = TypeVar("S", bound=Subject)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for. `before` is the commit to compare with; `delays` are in milliseconds."""

    app: Path
    before: str | None
    comparators: bool
    only_growth: bool
    only_import: bool
    only_telemetry: bool
    events: int
    rounds: int
    delays: Sequence[int]
    connections: int


@dataclass(slots=True)
class Results:
    """All that came of a run. `faults` are broken promises, `left_out` is what could not be measured here."""

    choice: Choice
    measured: dict[str, Measured] = field(default_factory=dict)
    end_to_end: list[EndToEnd] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    imports: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    repeated: dict[str, int] = field(default_factory=dict)
    """Write-backs that were made again, by subject."""
    pinned: bool = False
    telemetry: dict[str, dict[str, float]] | None = None

    def goals(self) -> list[Goal]:
        """The goals, each with what was measured."""
        growth = Growth.of(self.chunks) if self.chunks else None
        return goals(self.measured, growth, median_ms(self.imports) if self.imports else None, self.telemetry)

    def document(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "options": {
                "before": self.choice.before,
                "events": self.choice.events,
                "rounds": self.choice.rounds,
                "connections": self.choice.connections,
                "ownCore": self.pinned,
            },
            "goals": [goal.document() for goal in self.goals()],
            "subjects": report.document(self.measured),
            "endToEnd": [
                {
                    "outsideAnswersInMs": it.delay_ms,
                    "eventsPerSecond": round(it.rate, 1),
                    "p50Ms": round(it.percentile_ms(0.50), 1),
                    "p99Ms": round(it.percentile_ms(0.99), 1),
                }
                for it in self.end_to_end
            ],
            "growth": Growth.of(self.chunks).document(self.chunks) if self.chunks else None,
            "telemetry": self.telemetry,
            "importSeconds": [round(seconds, 3) for seconds in self.imports],
            "leftOut": self.left_out,
            "repeatedWriteBacks": self.repeated,
            "faults": self.faults,
        }


class Run:
    """Starts what the choice needs below `state` and measures it; everything is stopped when `stack` closes."""

    def __init__(self, choice: Choice, state: Path, say: Callable[[str], None], stack: ExitStack) -> None:
        self.results = Results(choice)
        self._choice = choice
        self._state = state
        self._say = say
        self._stack = stack
        self._workload = Workload()
        cores = proc.Cores()
        cores.leave_one_free()
        stack.callback(cores.release)
        self.results.pinned = cores.pinned
        (state / "logs").mkdir(parents=True)
        self._supervisor = Supervisor(state / "logs", REPOSITORY, say)
        stack.callback(self._supervisor.stop)
        self._outside = self._start_outside()
        self._bench = Bench(self._outside, cores, choice.connections)
        self._subjects: list[Subject] = []

    def grow(self) -> None:
        """Only whether something grows."""
        app = self._product(APP, self._choice.app)
        self.results.chunks = grow(
            self._bench, self._workload, app, self._outside, total=self._choice.events, say=self._say
        )
        self._audit()

    def telemetry(self) -> None:
        """Only what spans and metrics cost."""
        app = self._product(APP, self._choice.app)
        found = costs(
            self._bench,
            self._workload,
            app,
            self._outside,
            events=self._choice.events,
            rounds=self._choice.rounds,
            say=self._say,
        )
        self.results.telemetry = telemetry.document(found)
        self._audit()

    def compare(self) -> None:
        """Everything but growth."""
        app = self._product(APP, self._choice.app)
        products = [app, *self._old_app()]
        for product in products:
            calls = count_table_calls(self._bench, self._workload, product, self._outside)
            self.results.measured[product.name] = Measured(product.name, table_calls=calls)
            self._say(f"{product.name}: {calls.worker.all:.1f} calls to the tables for an event in the worker")
        if self._choice.comparators:
            self._start_comparators(app)
        measured = self.results.measured
        compare(
            self._bench,
            self._workload,
            self._subjects,
            measured,
            events=self._choice.events,
            rounds=self._choice.rounds,
            say=self._say,
        )
        for product in products:
            measured[product.name].parts = parts_of(self._bench, self._workload, product, self._choice.events)
        app.start_everything()
        rate = (measured[APP].median(lambda it: it.worker.rate) or 2.0) / 2
        count = self._choice.events
        self.results.end_to_end = [
            end_to_end(self._bench, self._workload, app, self._outside, delay_ms=delay, rate=rate, count=count)
            for delay in self._choice.delays
        ]
        self._audit()
        for it in self.results.end_to_end:
            it.settle(app.settled_at)

    def _audit(self) -> None:
        for subject in self._subjects:
            events = self._bench.accepted[subject.name]
            faults, repeated = self._outside.audit(events)
            self.results.faults += [f"{subject.name}: {fault}" for fault in [*faults, *subject.faults(events)]]
            self.results.repeated[subject.name] = repeated

    def _start_outside(self) -> OutsideSystems:
        dataverse, erp = free_ports(2)
        ca_dir = self._state / "ca"
        outside = OutsideSystems(dataverse, erp, ca_dir / "ca.pem")
        options = ("--dataverse-port", str(dataverse), "--erp-port", str(erp), "--ca-dir", str(ca_dir))
        command = (str(programs.PYTHON), "-m", "sandbox.bench.outside", *options)
        self._supervisor.run([Program("outside", command, HttpProbe(f"{outside.erp_url}/control/counts"))])
        return outside

    def _product(self, name: str, app: Path) -> Product:
        python = environment.python_of(app, self._say)
        state = self._state / name.replace(" ", "-")
        return self._started(Product(name, app, python, state, self._outside, self._say))

    def _old_app(self) -> list[Product]:
        if self._choice.before is None:
            return []
        try:
            app = environment.checked_out(self._choice.before, TOOLS)
        except environment.EnvironmentFailedError as failure:
            self.results.left_out.append(str(failure))
            return []
        return [self._product(f"{OLD_APP} {self._choice.before}", app)]

    def _start_comparators(self, app: Product) -> None:
        python = environment.comparators(TOOLS, self._say)
        calls = self.results.measured[APP].table_calls
        recipes = [with_dbos(self._state / "dbos.sqlite")]
        try:
            broker = RabbitMq.found()
        except MissingError as missing:
            self.results.left_out.append(str(missing))
        else:
            for group in broker.programs(self._state / "rabbitmq"):
                self._supervisor.run(group)
            tables = _tables(storage_connection(app.sandbox.ports))
            recipes = with_rabbitmq(broker.url, tables, round(calls.worker.all) if calls else 0) + recipes
        for recipe in recipes:
            self._started(Comparator(recipe, self._supervisor, python, self._outside))

    def _started(self, subject: S) -> S:
        subject.start()
        self._stack.callback(subject.stop)
        self._subjects.append(subject)
        return subject


def run(choice: Choice, state: Path, say: Callable[[str], None]) -> Results:
    """Measure what was chosen. What is started keeps its logs and data below `state`.

    Raises what starting and measuring raise; nothing runs any more then.
    """
    if choice.only_import:
        results = Results(choice)
    else:
        with ExitStack() as stack:
            this = Run(choice, state, say, stack)
            results = this.results
            if choice.only_growth:
                this.grow()
            elif choice.only_telemetry:
                this.telemetry()
            else:
                this.compare()
    if not choice.only_growth and not choice.only_telemetry:
        results.imports = cold_import(choice.app, environment.python_of(choice.app, say))
    return results


def _tables(connection: str) -> Mapping[str, str]:
    """The settings of the comparator's ledger: the tables behind a storage account's connection string."""
    parts = connection_parts(connection)
    return {
        "TABLES_URL": parts["TableEndpoint"].rstrip("/"),
        "TABLES_ACCOUNT": parts["AccountName"],
        "TABLES_KEY": parts["AccountKey"],
    }
