import math

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.http import content_disposition, request

from odoo.addons.account_payment.controllers.portal import PortalAccount
from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..models.healthcare_statement_type import TOLD_STATES

SORTINGS = {"date": "date desc, id desc", "name": "name desc"}


class StatementPortal(PortalAccount):
    """Addressees see, print and pay their own statements.

    Portal users have no rights on statements at all: these pages read with the rights of the system
    what is addressed to just this user. Other contacts of the same company see nothing. Whoever
    holds the link learns number and amount, and can pay.
    """

    # -- list ------------------------------------------------------------------------------------
    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "statement_count" in counters:
            # sudo: see the class
            statements = request.env["healthcare.statement"].sudo()
            values["statement_count"] = statements.search_count(self._own_statements_domain())
        return values

    def _own_statements_domain(self):
        """What is addressed to the user, and nobody else."""
        return [
            ("partner_id", "=", request.env.user.partner_id.id),
            ("state", "in", TOLD_STATES),
        ]

    @http.route(
        ["/my/statements", "/my/statements/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
    )
    def portal_my_statements(self, page=1, sortby=None, **kwargs):
        """List of the user's own statements."""
        # sudo: see the class
        statements = request.env["healthcare.statement"].sudo()
        domain = self._own_statements_domain()
        sortby = sortby if sortby in SORTINGS else "date"
        pager = portal_pager(
            url="/my/statements",
            url_args={"sortby": sortby},
            total=statements.search_count(domain),
            page=page,
            step=self._items_per_page,
        )
        values = {
            **self._prepare_portal_layout_values(),
            "statements": statements.search(
                domain,
                order=SORTINGS[sortby],
                limit=self._items_per_page,
                offset=pager["offset"],
            ),
            "page_name": "statement",
            "pager": pager,
            "default_url": "/my/statements",
            "searchbar_sortings": {
                "date": {"label": request.env._("Date"), "order": SORTINGS["date"]},
                "name": {"label": request.env._("Number"), "order": SORTINGS["name"]},
            },
            "sortby": sortby,
        }
        return request.render("healthcare_billing.portal_my_statements", values)

    # -- one statement ---------------------------------------------------------------------------
    def _own_statement(self, statement_id):
        """The statement in sudo, for its addressee, or who may read statements anyhow.

        :return: ``healthcare.statement`` record, or empty
        """
        statement = request.env["healthcare.statement"].browse(statement_id)
        own = [("id", "=", statement_id), *self._own_statements_domain()]
        if statement.sudo().search_count(own, limit=1):  # sudo: see the class
            return statement.sudo()
        if request.env.user._is_internal() and statement.exists() and statement.has_access("read"):
            return statement.sudo()  # sudo: may read it
        return statement.browse()

    def _linked_statement(self, statement_id, access_token):
        """The statement in sudo, for who holds its link.

        :return: ``healthcare.statement`` record, or empty
        """
        nothing = request.env["healthcare.statement"]
        if not access_token:
            return nothing
        try:
            statement = self._document_check_access(
                "healthcare.statement", statement_id, access_token=access_token
            )
        except (AccessError, MissingError):
            return nothing
        return statement if statement.state in TOLD_STATES else nothing

    @http.route("/my/statements/<int:statement_id>", type="http", auth="public", website=True)
    def portal_my_statement(
        self, statement_id, access_token=None, amount=None, payment=False, **kwargs
    ):
        """Items and payment for the addressee; number, amount and payment for who has the link."""
        own = self._own_statement(statement_id)
        statement = own or self._linked_statement(statement_id, access_token)
        if not statement:
            return request.redirect("/my")
        values = {
            **self._prepare_portal_layout_values(),
            "statement": statement,
            "document": statement._printed()[0] if own else None,
            "page_name": "statement",
            "no_breadcrumbs": not own,
            "login_url": f"/web/login?redirect=/my/statements/{statement_id}",
            "wrong_user": not own and not request.env.user._is_public(),
            **self._payment_values(statement, bool(own), amount, payment),
        }
        return request.render("healthcare_billing.portal_my_statement", values)

    @http.route("/my/statements/<int:statement_id>/pdf", type="http", auth="user")
    def portal_my_statement_pdf(self, statement_id, download=False, **kwargs):
        """The PDF, for the addressee who is logged in."""
        statement = self._own_statement(statement_id)
        if not statement:
            return request.redirect("/my")
        content = statement._pdf_contents()[statement]
        name = f"{statement._get_report_base_filename()}.pdf"
        disposition = "attachment" if download else "inline"
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(name, disposition)),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )

    # -- payment ---------------------------------------------------------------------------------
    def _payment_values(self, statement, own, amount, payment):
        """What the page needs to take a payment.

        :param statement: ``healthcare.statement`` record in sudo
        :param bool own: whether the user is its addressee
        :param str amount: chosen, as typed
        :param payment: whether the ways to pay are asked for
        """
        due = statement._payable_amount()
        transaction = statement.transaction_ids.sorted("id", reverse=True)[:1]
        values = {
            "due": due,
            "payable": bool(statement._is_payable() and statement._payment_providers()),
            "tx": transaction.filtered(lambda tx: tx.state != "draft"),
            "choosing": True,
            "amount": due,
            "amount_error": "",
        }
        if not values["payable"]:
            return values
        if amount:
            try:
                values["amount"] = self._chosen_amount(statement, amount)
            except UserError as error:
                return {**values, "amount_error": str(error)}
        if not payment:
            return values
        token = statement._portal_ensure_token()
        values |= self._get_common_page_view_values(
            invoices_data={
                "partner": statement.partner_id,
                "company": statement.company_id,
                "total_amount": values["amount"],
                "currency": statement.currency_id,
                "amount_residual": values["amount"],
                "landing_route": statement.get_portal_url(),
                "transaction_route": f"/my/statements/{statement.id}/transaction",
            },
            access_token=token,
        )
        values["choosing"] = False
        if request.env.user._is_public():
            # who only holds the link sees no saved card of the addressee, and saves none
            values["tokens_sudo"] = request.env["payment.token"]
            values["show_tokenize_input_mapping"] = dict.fromkeys(
                values["providers_sudo"].ids, False
            )
        return values

    def _chosen_amount(self, statement, amount):
        """The amount that somebody chose to pay.

        :param amount: as it came from the browser
        :return: float, rounded
        :raise UserError: no number, or not payable
        """
        number = self._cast_as_float(amount)
        if number is None or not math.isfinite(number):
            raise UserError(request.env._("Please type an amount, such as 25.00."))
        number = statement.currency_id.round(number)
        statement._check_payable_amount(number)
        return number

    @http.route("/my/statements/<int:statement_id>/transaction", type="jsonrpc", auth="public")
    def portal_statement_transaction(self, statement_id, access_token, amount=None, **kwargs):
        """Begin an online payment.

        :param str access_token: of the statement
        :param float amount: all that is due, or less
        :return: values with which the browser goes on
        :raise ValidationError: the link is no longer valid, or nothing can be paid
        """
        statement = self._linked_statement(statement_id, access_token)
        if not statement:
            raise ValidationError(request.env._("This link isn't valid any more."))
        amount = self._chosen_amount(statement, amount)
        self._validate_transaction_kwargs(kwargs)
        public = request.env.user._is_public()
        if public and kwargs.get("flow") == "token":
            raise ValidationError(request.env._("Please log in to pay by a saved card."))
        partner = statement.partner_id if public else request.env.user.partner_id
        kwargs |= {
            "amount": amount,
            "currency_id": statement.currency_id.id,
            "partner_id": partner.id,
            "landing_route": statement.get_portal_url(),
            "tokenization_requested": not public and kwargs.get("tokenization_requested", False),
        }
        transaction = self._create_transaction(
            custom_create_values={"healthcare_statement_id": statement.id}, **kwargs
        )
        return transaction._get_processing_values()
