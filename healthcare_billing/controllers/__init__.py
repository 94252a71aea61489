from . import billing_run
from . import superbill_portal
