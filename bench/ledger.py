"""A firm with a ledger in use: the ground that everything is measured on.

A ledger without history is no honest ground. PostgreSQL then plans core's look-ups of payments as
if the tables were empty, and these take minutes for some hundred invoices of one transaction.
"""

from datetime import date

from odoo.fields import Command

from .session import TIME_ZONE

INVOICES, LINES, CHUNK = 2000, 5, 100
PAID_EVERY = 5  # one in so many invoices is paid
FIRST_DAY = date(2025, 1, 6)
SILENT = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True}


def prepare(session):
    """Turn a database with the dependencies alone into a firm that has invoiced for a while."""
    with session.transaction(commit=True) as env:
        _set_up_company(env)
    with session.transaction(commit=True) as env:
        customers, service = _masters(env)
        env.cr.commit()
    for offset in range(0, INVOICES, CHUNK):
        with session.transaction(commit=True) as env:
            _invoice(env(context={**env.context, **SILENT}), customers, service, offset)
    session.analyze()


def _set_up_company(env):
    """One company in US dollars, with the generic chart of accounts and without sale taxes."""
    company = env.company
    env.ref("base.user_admin").tz = TIME_ZONE
    company.write(
        {"currency_id": env.ref("base.USD").id, "country_id": env.ref("base.us").id}
    )  # fmt: skip
    env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    # The chart taxes every sale, and core takes an account's taxes where a service has none.
    accounts = env["account.account"].search([("tax_ids", "!=", False)])
    accounts.tax_ids = [Command.clear()]
    company.account_sale_tax_id = False


def _masters(env):
    customers = env["res.partner"].create(
        [{"name": f"Customer {number}", "is_company": True} for number in range(200)]
    )
    service = env["product.product"].create(
        {"name": "Old service", "type": "service", "taxes_id": [Command.clear()]}
    )
    return customers.ids, service.id


def _invoice(env, customers, service_id, offset):
    """Some posted invoices, of which some are paid."""
    lines = [
        Command.create({"product_id": service_id, "price_unit": 10.0 + number, "tax_ids": False})
        for number in range(LINES)
    ]
    moves = env["account.move"].create(
        [
            {
                "move_type": "out_invoice",
                "partner_id": customers[number % len(customers)],
                "invoice_date": FIRST_DAY,
                "invoice_line_ids": lines,
            }
            for number in range(offset, offset + CHUNK)
        ]
    )
    moves.action_post()
    for move in moves[::PAID_EVERY]:
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({"payment_date": FIRST_DAY})._create_payments()
