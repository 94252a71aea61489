import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _keep_files_of_other_workers():
    """Workers of one test run share a filestore, each with a database of its own.

    After each test class Odoo deletes the files that its own database doesn't know: those of a
    test that another worker is in the middle of, too. They all go with the run's database.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        from odoo.tests.common import TransactionCase  # only importable once Odoo is configured

        TransactionCase._gc_filestore = classmethod(lambda cls: None)
