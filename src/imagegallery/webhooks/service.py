"""Webhooks, for their owners. Somebody else's do not exist: `NotFound`."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from imagegallery.access.decision import require
from imagegallery.access.permission import Permission
from imagegallery.clock import Clock
from imagegallery.common.idempotency import Keyed
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict
from imagegallery.events.event import EventTypes
from imagegallery.ids import new_id
from imagegallery.principal import Principal
from imagegallery.webhooks import records
from imagegallery.webhooks.records import NewWebhook
from imagegallery.webhooks.signature import SECRET_BYTES, write_secret
from imagegallery.webhooks.transport import AddressRefused, DeliveryFailed, Sender
from imagegallery.webhooks.webhook import Webhook, WebhookOptions, check_webhook, refuse_address

WEBHOOKS = UUID("6b0a5d0e-4b8f-4f0c-9a6d-7f6e2c1d9e34")  # the kind of request, for `imagegallery.common.idempotency`


@frozen
class CreatedWebhook:
    """A new webhook, and the secret that signs what it delivers (`signature.verify`): told this once."""

    webhook: Webhook
    secret: str


class WebhookService:
    def __init__(
        self, database: Database, sender: Sender, types: EventTypes, options: WebhookOptions, clock: Clock
    ) -> None:
        self._database = database
        self._types = types
        self._sender = sender
        self._options = options
        self._clock = clock

    async def create(
        self, principal: Principal, *, url: str, event_types: Sequence[str] = (), idempotency_key: str | None = None
    ) -> CreatedWebhook:
        """Have the principal's events, of these types or of all, posted to ``url`` from now on.

        Asked again with the same ``idempotency_key`` it answers the webhook that it made then, with its secret. Raises
        `IdempotencyKeyReused` if that key came with another request; `Unauthenticated`; `InvalidInput` for a URL
        or type that cannot be, also when the host's name cannot be resolved or leads to an address that is not public;
        `Conflict` when there are too many.
        """
        owner_id, types = principal.require_user(), tuple(dict.fromkeys(event_types))
        target = check_webhook(url, types, self._types, self._options)
        try:
            await self._sender.addresses(target)
        except DeliveryFailed as error:
            # The names of a private network need not be known yet, nor to this process.
            if isinstance(error, AddressRefused) or not self._options.allow_private:
                refuse_address(f"is refused: {error.message.rstrip('.')}")
        keyed = Keyed.of(WEBHOOKS, owner_id, idempotency_key, url, types)
        made_id, digest = (keyed.id, keyed.digest) if keyed else (new_id(), None)
        new = NewWebhook(made_id, owner_id, url, secrets.token_bytes(SECRET_BYTES), types, digest)
        async with self._database.transaction() as connection:
            count = await records.count_held(connection, owner_id)  # from here on nobody else adds one
            webhook = await records.get(connection, new.id)
            if webhook is None:
                if count >= self._options.max_per_owner:
                    raise Conflict(f"There can be {self._options.max_per_owner} webhooks for each owner.")
                await records.insert(connection, new, now=self._clock())
                webhook = _owned(principal, await records.get(connection, new.id))
            elif keyed is not None:
                keyed.check_repeats(await records.request_digest_of(connection, new.id))
            return CreatedWebhook(webhook, write_secret(await records.secret_of(connection, webhook.id)))

    async def list(self, principal: Principal) -> Sequence[Webhook]:
        """All of the principal's webhooks, oldest first. Raises `Unauthenticated`."""
        owner_id = principal.require_user()
        async with self._database.connection() as connection:
            return await records.list_owned(connection, owner_id)

    async def get(self, principal: Principal, webhook_id: UUID) -> Webhook:
        """Raises `Unauthenticated` and `NotFound`."""
        principal.require_user()
        async with self._database.connection() as connection:
            return _owned(principal, await records.get(connection, webhook_id))

    async def enable(self, principal: Principal, webhook_id: UUID) -> Webhook:
        """Switch it on again; what happened meanwhile is not delivered. Raises `Unauthenticated` and `NotFound`."""
        principal.require_user()
        async with self._database.transaction() as connection:
            await self._locked(connection, principal, webhook_id)
            await records.enable(connection, webhook_id)
            return _owned(principal, await records.get(connection, webhook_id))

    async def delete(self, principal: Principal, webhook_id: UUID) -> None:
        """Nothing is delivered any more. Raises `Unauthenticated` and `NotFound`."""
        principal.require_user()
        async with self._database.transaction() as connection:
            await self._locked(connection, principal, webhook_id)
            await records.delete(connection, webhook_id)

    async def _locked(self, connection: Connection, principal: Principal, webhook_id: UUID) -> None:
        _owned(principal, await records.lock(connection, webhook_id))


def _owned(principal: Principal, webhook: Webhook | None) -> Webhook:
    return require(Permission.VIEW, principal, webhook, "webhook")
