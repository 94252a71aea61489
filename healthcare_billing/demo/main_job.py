"""What ``./dev demo`` runs in ``odoo shell``: load four firms, bill their months, print."""
# pylint: disable=print-used  # its output is for whoever runs the script

import os
from datetime import timedelta
from pathlib import Path

from . import documents, home_care_data, mass_billing_data, practice_data, transport_data
from .company import QUIET
from .home_care import HomeCareAgency
from .home_care_month import AgencyMonths
from .mass_billing import MatterFirm
from .mass_billing_month import MatterMonths
from .month_end import MonthEnd
from .office import Office
from .therapy_practice import TherapyPractice
from .transport import TransportCompany
from .transport_months import TransportMonths

TIME_ZONE = "America/New_York"
# where the PDF files go; without it they go to the current folder
OUTPUT_VARIABLE = "HEALTHCARE_DEMO_OUT"


def run(env):
    """Load the practice into the main company, bill last month, check and print the result.

    :param env: of the superuser, in a database where the addon is installed
    :raise SystemExit: with the sums that differ
    """
    env = env(user=env.ref("base.user_root"), context={"lang": "en_US", "tz": TIME_ZONE})
    _refuse_second_time(env)
    set_up_company(env, env.company)
    practice = TherapyPractice(env).load()
    users = practice.create_users()
    env.cr.commit()  # pylint: disable=invalid-commit  # a script: each step is kept

    biller = env(user=users["biller"])
    before = bill_month_before(biller, practice)
    _check(before)
    month = MonthEnd(biller, practice.last_month).invoice()
    env.cr.commit()  # pylint: disable=invalid-commit  # documents are printed from what is kept
    env.cr.execute("ANALYZE")  # else PostgreSQL plans for the tables as they were when empty
    Office(practice, env(user=users["manager"]), before.moves).work()
    env.cr.commit()  # pylint: disable=invalid-commit  # see above
    print(_introduction(practice))
    print(month.table())
    print(f"\n{_check(month)} pairs of sums compared, all equal to the cent.")
    _print_documents(biller, month)
    run_agency(env)
    run_matters(env)
    run_transport(env)
    firms = (practice_data, home_care_data, mass_billing_data, transport_data)
    logins = ", ".join([login for firm in firms for login in firm.USERS])
    logins += f"; in the portal: {transport_data.PORTAL_LOGIN}"
    print(f"Other users to try (the password is the login): {logins}")


def run_agency(env):
    """Load the home-care agency as a second company, run its cycles, check and print the result.

    :param env: of the superuser
    :raise SystemExit: with the sums that differ
    """
    agency = HomeCareAgency(_add_company(env, home_care_data.COMPANY)).load()
    users = agency.create_users()
    env.cr.commit()  # pylint: disable=invalid-commit  # a script: each step is kept
    env.cr.execute("ANALYZE")  # as above
    months = AgencyMonths(agency, agency.env(user=users["agency_manager"])).work()
    _finish(env, months)


def run_matters(env):
    """Load the care-management firm as a third company, run its mass billing, check and print.

    :param env: of the superuser
    :raise SystemExit: with the sums that differ
    """
    firm = MatterFirm(_add_company(env, mass_billing_data.COMPANY)).load()
    users = firm.create_users()
    env.cr.commit()  # pylint: disable=invalid-commit  # a script: each step is kept
    env.cr.execute("ANALYZE")  # as above
    months = MatterMonths(firm, firm.env(user=users["matter_manager"])).work()
    _finish(env, months)
    if documents.can_print():
        for records, name, template in (
            (months.drafts.sorted("id"), "mass-bills.pdf", "healthcare_billing.report_bills"),
            (months.run, "mass-billing-run.pdf", "healthcare_billing.report_billing_run"),
        ):
            documents.write_pdf(months.env, records, _folder() / name, template)


def run_transport(env):
    """Load the transport company as a fourth company, run its statements, check and print.

    :param env: of the superuser
    :raise SystemExit: with the sums that differ
    """
    carrier = TransportCompany(_add_company(env, transport_data.COMPANY)).load()
    users = carrier.create_users()
    env.cr.commit()  # pylint: disable=invalid-commit  # a script: each step is kept
    env.cr.execute("ANALYZE")  # as above
    months = TransportMonths(carrier, carrier.env(user=users["transport_manager"])).work()
    _finish(env, months)
    if documents.can_print():
        statements = months.open_statements().sorted("id")
        template = "healthcare_billing.report_statement"
        documents.write_pdf(months.env, statements, _folder() / "statements.pdf", template)


def _add_company(env, name):
    """Another company, that the administrator may look at.

    :return: environment of the superuser in it
    """
    company = env["res.company"].create({"name": name})
    env.ref("base.user_admin").company_ids |= company
    own = env(context={**env.context, "allowed_company_ids": company.ids})
    set_up_company(own, own.company, name)
    return own


def _finish(env, months):
    """Keep what was done, and print it, if its sums are equal."""
    env.cr.commit()  # pylint: disable=invalid-commit  # documents are printed from what is kept
    print(f"\n{months.table()}")
    print(f"\n{_check_equations(months.equations)} pairs of sums compared, all equal to the cent.")


def _refuse_second_time(env):
    if env["healthcare.appointment"].search_count([], limit=1):
        raise SystemExit("This database has appointments already. Make a new one with ./dev demo")


def set_up_company(env, company, name="Maple Street Therapy"):
    """Make the company ready to invoice and to print: address, ledger, layout."""
    company.write(
        {
            "name": name,
            "street": "42 Maple Street",
            "city": "Maple Falls",
            "state_id": env.ref("base.state_us_27").id,
            "zip": "10999-0042",
            "country_id": env.ref("base.us").id,
            "phone": "(555) 555-0100",
            "email": "office@example.com",
            "website": "https://example.com",
            "currency_id": env.ref("base.USD").id,
            "healthcare_tz": TIME_ZONE,
            "logo": False,
            "report_footer": "(555) 555-0100 | office@example.com",
            "external_report_layout_id": env.ref("web.external_layout_standard").id,
            "paperformat_id": env.ref("base.paperformat_us").id,
            "primary_color": "#1F5F5B",
            "secondary_color": "#3A7D78",
            "font": "Lato",
        }
    )
    env.ref("base.user_admin").tz = TIME_ZONE
    if not company.chart_template:
        env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
    env["res.config.settings"].create(
        {
            "group_use_approval": True,
            "group_use_qa": True,
            "group_use_authorizations": True,
            "group_use_transport": True,
            "group_use_billing_accounts": True,
            "group_use_superbills": True,
            "group_use_claims": True,
            "group_use_cpt_licenses": True,
            "group_use_billing_cycles": True,
            "group_use_mass_billing": True,
            "group_use_statements": True,
        }
    ).execute()


def bill_month_before(env, practice):
    """Invoice the month before last as well; every third invoice is paid meanwhile.

    :param env: of a billing user
    :return: :class:`MonthEnd`
    """
    invoice_date = practice.last_month + timedelta(days=2)
    month = MonthEnd(env, practice.month_before).invoice(invoice_date)
    paid = month.moves.sorted("name")[::3].filtered("amount_residual")
    for moves in paid.grouped("currency_id").values():
        env["account.payment.register"].with_context(
            **QUIET, active_model="account.move", active_ids=moves.ids
        ).create({"payment_date": invoice_date + timedelta(days=18)}).action_create_payments()
    return month


def _introduction(practice):
    return (
        f"\n{practice.company.name}: {len(practice.clients)} clients, {len(practice.staff)} staff, "
        f"{len(practice.payers)} payers, {len(practice.appointments)} appointments\n"
    )


def _check(month):
    """End the script where sums differ that must be the same.

    :return: number of sums compared
    """
    failed = [
        f"{line.partner_id.name}: {line.message}"
        for line in month.run.line_ids
        if line.state != "created"
    ]
    return _check_equations(month.equations(), failed)


def _check_equations(equations, failed=()):
    """End the script where sums differ, or something else failed.

    :return: number of sums compared
    """
    wrong = [str(equation) for equation in equations if not equation.holds()]
    if wrong or failed:
        raise SystemExit("\n".join(["The demo does not add up:", *wrong, *failed]))
    return len(equations)


def _print_documents(env, month):
    if not documents.can_print():
        print("No PDF files: wkhtmltopdf is not installed.")
        return
    folder = _folder()
    invoices = month.moves.filtered(lambda move: move.move_type == "out_invoice")
    longest = max(invoices, key=lambda move: (len(move.invoice_line_ids), -move.id))
    documents.write_pdf(env, longest, folder / "invoice.pdf")
    documents.write_pdf(env, invoices.sorted("name"), folder / "invoices.pdf")
    report = month.completeness()
    env.cr.commit()  # pylint: disable=invalid-commit  # what is printed is read by other requests
    for records, name, template in (
        (report, "completeness.pdf", "healthcare_billing.report_completeness"),
        (month.run, "billing-run.pdf", "healthcare_billing.report_billing_run"),
    ):
        documents.write_pdf(env, records, folder / name, template)


def _folder():
    """Where the PDF files go."""
    folder = Path(os.environ.get(OUTPUT_VARIABLE) or ".")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
