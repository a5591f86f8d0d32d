"""Helper modules of the tests lie beside this file, so that every folder of tests can import them."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("oracle")

pytest_plugins = ["browser", "command_line", "exported_sites", "https_server"]
