from . import account_move_reversal
from . import healthcare_batch_invoicing
from . import healthcare_billing_run_apply
from . import healthcare_billing_run_confirm
from . import healthcare_completeness
from . import healthcare_completeness_query
from . import healthcare_completeness_row
from . import healthcare_provider_details
