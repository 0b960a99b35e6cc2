"""What all tests share."""

import pytest

from deepunits.backend import choose_device
from deepunits.errors import UserError


def pytest_runtest_setup(item):
    """Skip the tests marked ``gpu`` where no GPU can be used, and say why."""
    if item.get_closest_marker("gpu"):
        try:
            choose_device("gpu")
        except UserError as reason:
            pytest.skip(str(reason))
