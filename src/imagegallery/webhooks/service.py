"""Webhooks, for their owners. For others they do not exist: `NotFound`."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from attrs import field, frozen

from imagegallery.access.authority import AccessSubject, Authority
from imagegallery.access.decision import require
from imagegallery.access.permission import Permission
from imagegallery.audit import records as audit
from imagegallery.audit.entry import Act, AuditEntry, Warrant
from imagegallery.clock import Clock
from imagegallery.common.idempotency import KeyedRequest
from imagegallery.database.connection import Connection
from imagegallery.database.pool import Database
from imagegallery.errors import Conflict
from imagegallery.events.event import EventTypes
from imagegallery.ids import Id, as_id, new_id
from imagegallery.principal import Principal
from imagegallery.webhooks import records
from imagegallery.webhooks.records import NewWebhook
from imagegallery.webhooks.signature import SECRET_BYTES, write_secret
from imagegallery.webhooks.transport import AddressRefused, DeliveryFailed, Sender
from imagegallery.webhooks.webhook import Webhook, WebhookOptions, check_webhook, refuse_address

WEBHOOKS = UUID("6b0a5d0e-4b8f-4f0c-9a6d-7f6e2c1d9e34")  # the kind of request, for `imagegallery.common.idempotency`


@frozen
class CreatedWebhook:
    """A new webhook with the secret that signs its deliveries (`signature.verify`). It is shown only once."""

    webhook: Webhook
    secret: str


@frozen
class WebhookService:
    _database: Database
    _sender: Sender
    _types: EventTypes
    _options: WebhookOptions
    _clock: Clock
    _authority: Authority = field(factory=Authority)

    async def create(
        self, principal: Principal, *, url: str, event_types: Sequence[str] = (), idempotency_key: str | None = None
    ) -> CreatedWebhook:
        """Post the principal's future events, of these types or of all, to ``url``.

        A repetition with the same ``idempotency_key`` returns the existing webhook with its secret.

        Raises:
            IdempotencyKeyReused: If the key came with another request.
            Unauthenticated: Without a user.
            InvalidInput: For an invalid URL or type, and for a host without an address or with one that is not public.
            Conflict: If there are too many.
        """
        owner_id, types = principal.require_user(), tuple(dict.fromkeys(event_types))
        await self._authority.confirm(Permission.EDIT, principal, AccessSubject("webhooks", owner_id))
        target = check_webhook(url, types, self._types, self._options)
        try:
            await self._sender.addresses(target)
        except DeliveryFailed as error:
            # Names in a private network may not be known yet, or not to this process.
            if isinstance(error, AddressRefused) or not self._options.allow_private:
                refuse_address(f"is refused: {error.message.rstrip('.')}")
        keyed = KeyedRequest.of(WEBHOOKS, owner_id, idempotency_key, url, types)
        made_id, digest = (keyed.id, keyed.digest) if keyed else (new_id(), None)
        new = NewWebhook(made_id, owner_id, url, secrets.token_bytes(SECRET_BYTES), types, digest)
        async with self._database.transaction() as connection:
            count = await records.count_held(connection, owner_id)  # from here on nobody else adds one
            webhook = await records.get(connection, new.id)
            if webhook is None:
                if count >= self._options.max_per_owner:
                    raise Conflict(f"There can be {self._options.max_per_owner} webhooks for each owner.")
                await records.insert(connection, new, now=self._clock())
                await self._record(connection, principal, Act.WEBHOOK_CREATED, new.id)
                webhook = _own(principal, await records.get(connection, new.id))
            elif keyed is not None:
                keyed.check_repeats(await records.request_digest_of(connection, new.id))
            return CreatedWebhook(webhook, write_secret(await records.secret_of(connection, webhook.id)))

    async def list(self, principal: Principal) -> Sequence[Webhook]:
        """Return all of the principal's webhooks, oldest first.

        Raises:
            Unauthenticated: Without a user.
        """
        owner_id = principal.require_user()
        await self._authority.confirm(Permission.VIEW, principal, AccessSubject("webhooks", owner_id))
        async with self._database.connection() as connection:
            return await records.list_owned(connection, owner_id)

    async def get(self, principal: Principal, webhook_id: Id) -> Webhook:
        """Return a webhook.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        webhook_id = as_id(webhook_id, "webhook_id")
        principal.require_user()
        async with self._database.connection() as connection:
            found = await records.get(connection, webhook_id)
        return await self._authority.require(Permission.VIEW, principal, found, "webhook", webhook_id)

    async def enable(self, principal: Principal, webhook_id: Id) -> Webhook:
        """Switch a webhook on again. What happened meanwhile is not delivered.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        webhook_id = as_id(webhook_id, "webhook_id")
        principal.require_user()
        async with self._database.transaction() as connection:
            await self._lock(connection, principal, webhook_id, Permission.EDIT)
            await records.enable(connection, webhook_id)
            await self._record(connection, principal, Act.WEBHOOK_ENABLED, webhook_id)
            return _own(principal, await records.get(connection, webhook_id))

    async def delete(self, principal: Principal, webhook_id: Id) -> None:
        """Delete a webhook, which ends its deliveries.

        Raises:
            Unauthenticated: Without a user.
            NotFound: If the principal has none of this id.
        """
        webhook_id = as_id(webhook_id, "webhook_id")
        principal.require_user()
        async with self._database.transaction() as connection:
            await self._lock(connection, principal, webhook_id, Permission.DELETE)
            await records.delete(connection, webhook_id)
            await self._record(connection, principal, Act.WEBHOOK_DELETED, webhook_id)

    async def _record(self, connection: Connection, principal: Principal, act: Act, webhook_id: UUID) -> None:
        by = Warrant.of_owner(principal)
        entry = AuditEntry.under(by, act, principal.require_user(), subject=str(webhook_id))
        await audit.record(connection, entry, now=self._clock())

    async def _lock(self, connection: Connection, principal: Principal, webhook_id: UUID, needed: Permission) -> None:
        found = await records.lock(connection, webhook_id)
        await self._authority.require(needed, principal, found, "webhook", webhook_id)


def _own(principal: Principal, webhook: Webhook | None) -> Webhook:
    return require(Permission.VIEW, principal, webhook, "webhook")
