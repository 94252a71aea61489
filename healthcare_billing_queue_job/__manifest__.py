{
    "name": "Healthcare Billing: Job Queue",
    "summary": "Large billing runs are worked on by several workers at once",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Healthcare Billing contributors",
    "website": "https://github.com/healthcare-billing/healthcare_billing",
    "license": "LGPL-3",
    "depends": ["healthcare_billing", "queue_job"],
    "data": ["data/queue_job_data.xml"],
    "auto_install": True,
}
