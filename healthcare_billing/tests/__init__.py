from . import test_codes
from . import test_masters
from . import test_units
