"""Rates as they are written."""

import pytest

from imagegallery.errors import ConfigurationError
from imagegallery.rates.options import Rate, RateOptions


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("600/minute", Rate(600, 60)),
        ("1 per second", Rate(1, 1)),
        ("100 per 2 hours", Rate(100, 7200)),
        ("5/10minutes", Rate(5, 600)),
        (" 10 / Day ", Rate(10, 86_400)),
    ],
)
def test_a_rate_is_an_amount_and_a_time(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text", ["", "600", "600/", "/minute", "0/minute", "5/0minute", "-1/minute", "5/week", "1/minute;5/hour"]
)
def test_what_is_no_rate_is_a_wrong_setting(text: str) -> None:
    with pytest.raises(ConfigurationError, match="rate"):
        RateOptions(users=text)
