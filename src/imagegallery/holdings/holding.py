"""What a feature keeps of an owner. Pure."""

from attrs import field, frozen


@frozen
class Holding:
    """Rows of a ``table`` that hold something of an owner.

    ``rows`` is the condition in SQL for them, on a row ``t`` and ``:owner_id``. An export tells them in this
    ``order``, under this ``name`` (without one: the table's), but for the columns that are ``left_out``; it tells none
    unless ``is_told``. An erasure deletes them, or if they are another owner's, takes the owner out of them by the
    assignments ``changed_to``. ``is_last``: only when others have heard that the owner is gone.
    """

    table: str
    rows: str = "t.owner_id = :owner_id"
    order: str = "t.id"
    left_out: tuple[str, ...] = ()
    changed_to: str | None = None
    is_told: bool = True
    is_last: bool = False
    name: str = field(default="")

    @property
    def known_as(self) -> str:
        return self.name or self.table
