from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager

SORTINGS = {"date": "issued_on desc, id desc", "name": "name desc"}


class SuperbillPortal(CustomerPortal):
    """Clients see and print their own superbills.

    A superbill names diagnoses: whoever holds the link of an e-mail only learns its number, and
    everything else takes a login as the client.
    """

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "superbill_count" in counters:
            superbills = request.env["healthcare.superbill"]
            values["superbill_count"] = (
                superbills.search_count([]) if self._may_list_superbills() else 0
            )
        return values

    def _may_list_superbills(self):
        """The portal is for clients; billers, who see all superbills, have their own screens."""
        return request.env.user._is_portal()

    def _own_superbill(self, superbill_id):
        """The superbill, if it was issued to the client who is logged in.

        :raise AccessError: when it is somebody else's, or isn't the present one
        :raise MissingError: when there is none
        """
        superbill = request.env["healthcare.superbill"].browse(superbill_id)
        if not superbill.sudo().exists():  # sudo: tells nothing but that there is none
            raise MissingError(request.env._("This document does not exist."))
        superbill.check_access("read")
        return superbill

    @http.route(
        ["/my/superbills", "/my/superbills/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
    )
    def portal_my_superbills(self, page=1, sortby=None, **kwargs):
        """List of the client's superbills."""
        if not self._may_list_superbills():
            return request.redirect("/my")
        superbills = request.env["healthcare.superbill"]
        sortby = sortby if sortby in SORTINGS else "date"
        pager = portal_pager(
            url="/my/superbills",
            url_args={"sortby": sortby},
            total=superbills.search_count([]),
            page=page,
            step=self._items_per_page,
        )
        values = {
            **self._prepare_portal_layout_values(),
            "superbills": superbills.search(
                [], order=SORTINGS[sortby], limit=self._items_per_page, offset=pager["offset"]
            ),
            "page_name": "superbill",
            "pager": pager,
            "default_url": "/my/superbills",
            "searchbar_sortings": {
                "date": {"label": request.env._("Date"), "order": SORTINGS["date"]},
                "name": {"label": request.env._("Number"), "order": SORTINGS["name"]},
            },
            "sortby": sortby,
        }
        return request.render("healthcare_billing.portal_my_superbills", values)

    @http.route("/my/superbills/<int:superbill_id>", type="http", auth="public", website=True)
    def portal_my_superbill(self, superbill_id, access_token=None, **kwargs):
        """The superbill for its client; the way to the login for who holds the link."""
        try:
            superbill = self._own_superbill(superbill_id)
        except MissingError:
            return request.redirect("/my")
        except AccessError:
            return self._portal_superbill_login(superbill_id, access_token)
        values = {
            **self._prepare_portal_layout_values(),
            "superbill": superbill,
            "page_name": "superbill",
        }
        return request.render("healthcare_billing.portal_my_superbill", values)

    def _portal_superbill_login(self, superbill_id, access_token):
        """Tell number and login to who holds the link, and nothing to others."""
        try:
            superbill = self._document_check_access(
                "healthcare.superbill", superbill_id, access_token=access_token
            )
        except (AccessError, MissingError):
            return request.redirect("/my")
        values = {
            "superbill_number": superbill.name,
            "login_url": f"/web/login?redirect=/my/superbills/{superbill_id}",
            "wrong_user": not request.env.user._is_public(),
            "page_name": "superbill",
            "no_breadcrumbs": True,
        }
        return request.render("healthcare_billing.portal_superbill_login", values)

    @http.route("/my/superbills/<int:superbill_id>/pdf", type="http", auth="user")
    def portal_my_superbill_pdf(self, superbill_id, download=False, **kwargs):
        """The PDF that is kept, for the client who is logged in."""
        try:
            superbill = self._own_superbill(superbill_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        content = superbill._pdf_contents()[superbill]
        disposition = "attachment" if download else "inline"
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(superbill._pdf_name(), disposition)),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )
