"""Odoo's own lint tests, looking at this repository's addon instead of at all of Odoo.

They come from Odoo's addon ``test_lint``, which needs no installation for that. Left out are
those that ``./dev lint`` runs in a quicker way (pylint, eslint), those that test the checkers
themselves, and the search for conflict markers, which reads every file it can reach.
"""

import logging
import os
from unittest.mock import patch

import pytest

from odoo.modules import Manifest

from odoo.addons.test_lint.tests.test_docstring import TestDocstring
from odoo.addons.test_lint.tests.test_dunderinit import TestDunderinit
from odoo.addons.test_lint.tests.test_i18n import TestI18n
from odoo.addons.test_lint.tests.test_index import TestIndex
from odoo.addons.test_lint.tests.test_jstranslate import TestJsTranslations
from odoo.addons.test_lint.tests.test_manifests import ManifestLinter
from odoo.addons.test_lint.tests.test_naming import TestNaming
from odoo.addons.test_lint.tests.test_onchange_domains import TestOnchangeDomains
from odoo.addons.test_lint.tests.test_orm_import import TestDunderinit as TestOrmImport
from odoo.addons.test_lint.tests.test_override_signatures import TestLintOverrideSignatures
from odoo.addons.test_lint.tests.test_pofile import PotLinter
from odoo.addons.test_lint.tests.test_routes import RoutesLinter
from odoo.addons.test_lint.tests.test_test_holes import TestTestHoles

ADDON = os.environ.get("HEALTHCARE_ADDON", "healthcare_billing")  # said by ./dev test


@pytest.fixture(autouse=True)
def only_our_addon():
    """The tests that read files ask Odoo for all addons: let there be one."""
    with patch.object(Manifest, "all_addon_manifests", lambda: [Manifest.for_addon(ADDON)]):
        yield


@pytest.fixture(autouse=True)
def warnings_are_failures():
    """Some of the tests only log what they find; Odoo counts a logged warning as a failure."""
    found = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(record.getMessage())
    logger = logging.getLogger("odoo.addons.test_lint")
    level = logger.level
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    logger.setLevel(level)
    assert not found, "\n".join(found)


if ADDON != "healthcare_billing":
    # They look at all that is installed, and so at the faults of what the addon depends on.
    del TestDocstring, TestIndex, TestLintOverrideSignatures
