"""The worker, on a real queue."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import attrs
import pytest

from imagegallery.database.pool import Database, DatabaseOptions
from imagegallery.errors import LeaseLost, Unavailable
from imagegallery.queue import attempt
from imagegallery.queue.job import ClaimedJob, QueueStats
from imagegallery.queue.observer import Outcome
from imagegallery.queue.periodic import Periodic
from imagegallery.queue.postgres import PostgresQueue
from imagegallery.queue.worker import Worker

if TYPE_CHECKING:
    from tests.queue.conftest import Bench, Handler

DONE, RETRIED, BURIED, RELEASED, LOST = Outcome
