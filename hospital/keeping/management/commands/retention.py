from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from hospital.common import retention
from hospital.common.clock import now, today
from hospital.keeping import engine, rules


class Command(BaseCommand):
    help = (
        "What is past its time: record by record and class by class, what would be erased, what stays and why. "
        "Nothing happens without --apply."
    )

    def add_arguments(self, parser: Any) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--dry-run", action="store_true", help="only print (the default)")
        choice.add_argument("--apply", action="store_true", help="erase, one transaction a record")

    def handle(self, *args: Any, **given: Any) -> None:
        nightly = "on" if settings.RETENTION_NIGHTLY else "off: RETENTION_NIGHTLY=1 turns it on"
        self.stdout.write(f"as of {today().isoformat()} in Shanghai; the nightly run is {nightly}")
        self._clocks()
        self._records()
        self._rows()
        if given["apply"]:
            for name, count in sorted((engine.erase_due() | engine.rows_clear()).items()):
                self.stdout.write(f"erased {name} {count}")
            return
        self.stdout.write("nothing was erased: --apply does it")

    def _clocks(self) -> None:
        for clock in retention.CLOCKS:
            length = f"{clock.years} y" if clock.years else f"{clock.months} months"
            self.stdout.write(f"clock {clock.name}: {length} from {clock.starts[1]}; {clock.why[1]}")

    def _records(self) -> None:
        """Each record that is due, by its number; then class by class: what goes, what stays and why."""
        goes: dict[str, int] = {}
        stays: dict[tuple[str, str], int] = {}
        records_n = 0
        for made in engine.due():
            records_n += 1
            self.stdout.write(self._record(made))
            for line in made.lines:
                goes[line.part.name] = goes.get(line.part.name, 0) + line.goes
                if line.stays:
                    key = line.part.name, self._why(line)
                    stays[key] = stays.get(key, 0) + line.stays
        for kind in retention.kinds():
            for part in retention.parts(kind):
                self.stdout.write(
                    f"{part.name}: would erase {goes.get(part.name, 0)} ({', '.join(part.words)})"
                )
                for (name, why), count in sorted(stays.items()):
                    if name == part.name:
                        self.stdout.write(f"{part.name}: keeps {count}, {why}")
        self.stdout.write(
            f"{records_n} records are due or held beyond their day; all others are inside their time"
        )

    def _record(self, made: engine.Plan) -> str:
        """`patient P00000012: due since 2041-03-02, 27 rows go, the whole record`, or what keeps it."""
        label = retention.subject(made.kind).label(made.subject_id)
        until = made.until.isoformat() if made.until else "not known yet"
        count = sum(line.goes for line in made.lines)
        if made.whole:
            return f"{made.kind} {label}: due since {until}, {count} rows go, the whole record"
        if any(line.decision.why == rules.HELD for line in made.staying):
            return f"{made.kind} {label}: held, {count} rows go; its clock lets it go from {until}"
        return f"{made.kind} {label}: {count} rows go, the record stays until {until}"

    def _why(self, line: engine.Line) -> str:
        return rules.WHY.get(line.decision.why, line.clock.why)[1]

    def _rows(self) -> None:
        for one in retention.rows():
            count = one.count(retention.cutoff(one.clock, now()))
            self.stdout.write(f"{one.name}: would erase {count} ({', '.join(one.words)})")
        self.stdout.write("audit: kept, at least 6 months and with the record; never erased by this program")
