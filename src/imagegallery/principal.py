"""Who is asking. Every service call names its principal and is checked against it."""

from attrs import frozen

from imagegallery.errors import Unauthenticated


@frozen
class Principal:
    """A signed-in user, or nobody. User ids are the host application's own, kept as text."""

    user_id: str | None = None

    @classmethod
    def user(cls, user_id: object) -> "Principal":
        """The user with this id; any id whose ``str`` is stable will do (``int``, ``UUID``, ``str``)."""
        return cls(str(user_id))

    @classmethod
    def anonymous(cls) -> "Principal":
        return cls(None)

    def owns(self, owner_id: str) -> bool:
        return self.user_id is not None and self.user_id == owner_id

    def require_user(self) -> str:
        """The user's id.

        Raises `Unauthenticated` for a visitor.
        """
        if self.user_id is None:
            raise Unauthenticated("Sign in to do this.")
        return self.user_id
