from . import billing_run
from . import invoice_export
from . import invoice_portal
from . import statement_collections
from . import superbill_portal
from . import statement_export
from . import statement_portal
