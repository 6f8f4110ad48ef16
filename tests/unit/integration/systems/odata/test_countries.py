"""Countries by whatever people wrote."""

from integration.clock import SystemClock
from integration.systems.odata.countries import Countries, Named
from integration.transport import NO_CONTEXT, CallContext


class Moved(SystemClock):
    """The machine's clock, moved forward."""

    seconds = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.seconds


async def test_a_country_is_found_by_name_and_by_either_code_and_read_once_an_hour() -> None:
    asked = 0

    async def read(_: CallContext) -> Named:
        nonlocal asked
        asked += 1
        return [("Austria", "AUT"), ("AT", "AUT"), ("Oesterreich", "AUT")]

    clock = Moved()
    countries = Countries(read, clock)
    for text in (" austria ", "at", "AUT", "oesterreich"):
        assert await countries.code_of(text, NO_CONTEXT) == "AUT"
    assert await countries.code_of("Atlantis", NO_CONTEXT) == ""
    assert asked == 1
    clock.seconds = 3_601
    await countries.code_of("AT", NO_CONTEXT)
    assert asked == 2
