"""The companies of the bureau, and what it has charged."""

import json
import sqlite3
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.systems.creditsafe.errors import ConnectError

SCHEMA = """
CREATE TABLE IF NOT EXISTS companies (country TEXT, regNo TEXT, position INTEGER, content TEXT);
CREATE TABLE IF NOT EXISTS charges (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, content TEXT);
"""
_USUAL = {"name": "Company", "status": "Active", "band": "B", "value": "72", "limit": 250_000, "currency": "EUR"}
_BANDS = {"A": "Very Low Risk", "B": "Low Risk", "C": "Moderate Risk", "D": "High Risk", "E": "Not Rated"}


@dataclass
class Bureau:
    """Any registration number is that of a good company, unless the control routes say otherwise.

    `countries_left_out` are not in the contract.
    """

    database: sqlite3.Connection
    subscribed: bool = True
    countries_left_out: set[str] = field(default_factory=lambda: {"RO"})

    def set(self, country: str, number: str, companies: list[dict[str, Any]]) -> None:
        """Have these companies, and no others, under a number; each names what differs from a usual one."""
        self.database.execute("DELETE FROM companies WHERE country = ? AND regNo = ?", (country, number))
        for position, it in enumerate(companies):
            row = (country, number, position, json.dumps(_USUAL | it))
            self.database.execute("INSERT INTO companies VALUES (?, ?, ?, ?)", row)
        if not companies:
            self.database.execute("INSERT INTO companies VALUES (?, ?, -1, '')", (country, number))

    def find(self, countries: str, number: str) -> list[dict[str, Any]]:
        """What a search answers: no charge."""
        return [
            {
                "id": f"{country}-{position}-{number}",
                "country": country,
                "regNo": number,
                "safeNo": f"{country}{zlib.crc32(number.encode()) % 10**8:08}",
                "name": it["name"],
                "status": it["status"],
            }
            for country in countries.split(",")
            for position, it in enumerate(self._companies(country, number))
        ]

    def report(self, company: str) -> dict[str, Any]:
        """The report of a company, which is charged; raises `ConnectError`."""
        country, _, rest = company.partition("-")
        position, _, number = rest.partition("-")
        known = self._companies(country, number) if number else []
        if not position.isdigit() or int(position) >= len(known):
            raise ConnectError(404, "There is no such company.")
        if not self.subscribed:
            raise ConnectError(402, "The subscription has ended.")
        if country in self.countries_left_out:
            raise ConnectError(403, f"No access to {country} reports")
        it = known[int(position)]
        if it.get("no_report"):
            raise ConnectError(400, "Report unavailable.", code="ReportUnavailable")
        self._charge({"connectId": company, "regNo": number, "country": country, **it})
        rating = {
            "commonValue": it["band"],
            "commonDescription": _BANDS.get(it["band"], ""),
            "creditLimit": {"value": it["limit"], "currency": it["currency"]},
            "providerValue": {"value": it["value"], "minValue": "0", "maxValue": "100"},
        }
        return {
            "companyId": company,
            "language": "en",
            "report": {
                "companyId": company,
                "companySummary": {
                    "businessName": it["name"],
                    "country": country,
                    "companyRegistrationNumber": number,
                    "companyStatus": {"status": it["status"]},
                },
                "creditScore": {"currentCreditRating": rating},
            },
        }

    def charges(self) -> list[dict[str, Any]]:
        """Every report that was charged, oldest first."""
        rows = self.database.execute("SELECT at, content FROM charges ORDER BY seq")
        return [{"at": row["at"], **json.loads(row["content"])} for row in rows]

    def _companies(self, country: str, number: str) -> list[dict[str, Any]]:
        rows = self.database.execute(
            "SELECT position, content FROM companies WHERE country = ? AND regNo = ? ORDER BY position",
            (country, number),
        ).fetchall()
        if not rows:
            return [dict(_USUAL)]
        return [json.loads(row["content"]) for row in rows if row["position"] >= 0]

    def _charge(self, charge: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.database.execute("INSERT INTO charges (at, content) VALUES (?, ?)", (at, json.dumps(charge)))
