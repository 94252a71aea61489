from . import healthcare_billing_run
