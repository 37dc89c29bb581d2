"""The engine that tests share is that of applications' tests."""

from imagegallery.testing.shared_engine import SharedEngine as SharedEngine
