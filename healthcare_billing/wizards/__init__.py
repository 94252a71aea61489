from . import healthcare_batch_invoicing
from . import healthcare_provider_details
