"""Which transactions the database had seen at some moment, so that copies in several processes are comparable. Pure.

This is PostgreSQL's snapshot (its manual, "System Information Functions", ``pg_current_snapshot``): all transactions
below ``xmax`` that are not in progress. Of two taken one after the other on the same server, the later has seen all
that the earlier has.
"""

from attrs import frozen


@frozen
class Snapshot:
    """A snapshot.

    Attributes:
        server: The server and its current run: another run counts anew, or differently.
        running: The transactions below ``xmax`` that it has not seen.
    """

    server: str
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """The inverse of ``str``: the server, a space, and ``xmin:xmax:running`` as PostgreSQL writes it. Raises
        `ValueError`."""
        server, _, snapshot = text.rpartition(" ")
        _xmin, xmax, running = snapshot.split(":")
        return cls(server, int(xmax), frozenset(int(each) for each in running.split(",") if each))

    def covers(self, other: "Snapshot") -> bool:
        """Whether it has seen every transaction that the other has. False for another server's."""
        if self.server != other.server:
            return False
        # What began too late for this one must be running in the other, too.
        too_late = max(0, other.xmax - self.xmax)
        if sum(each >= self.xmax for each in other.running) < too_late:
            return False
        return all(each in other.running for each in self.running if each < other.xmax)

    def __str__(self) -> str:
        xmin = min(self.running, default=self.xmax)
        return f"{self.server} {xmin}:{self.xmax}:{','.join(str(each) for each in sorted(self.running))}"
