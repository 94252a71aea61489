import { formatCurrency } from "@web/core/currency";
import { DateTimeInput } from "@web/core/datetime/datetime_input";
import { deserializeDate, serializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { Component, onWillStart, status, useState } from "@odoo/owl";

const RUN = "healthcare.billing.run";

/**
 * Over the rows of mass billing: the dates and choices that count for all of them, totals of the
 * whole search (never of the page), and the buttons.
 */
export class MassBillingBar extends Component {
    static template = "healthcare_billing.MassBillingBar";
    static components = { DateTimeInput };
    static props = { model: Object };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.choices = { terms: [], templates: [] };
        this.state = useState({ isBusy: false });
        onWillStart(async () => {
            this.choices = await this.orm.call(RUN, "mass_choices");
        });
    }

    // -- what is shown ---------------------------------------------------------------------------
    get totals() {
        return this.props.model.mass;
    }

    get list() {
        return this.props.model.root;
    }

    get invoiceDate() {
        return deserializeDate(this.totals.invoice_date);
    }

    get dateUpTo() {
        return deserializeDate(this.totals.date_up_to);
    }

    money(amount) {
        return formatCurrency(amount, this.totals.currency_id);
    }

    get isSearch() {
        return this.totals.row_count !== this.totals.list_count;
    }

    /** Of the rows that are ticked: how many, and what they come to. */
    get selected() {
        const { selection, isDomainSelected } = this.list;
        if (isDomainSelected) {
            return { count: this.totals.row_count, amount: this.totals.due };
        }
        const due = selection.filter(({ data }) => data.bill_again || !data.needs_tick);
        return {
            count: selection.length,
            amount: due.reduce((sum, { data }) => sum + data.amount_company, 0),
        };
    }

    // -- what is done ----------------------------------------------------------------------------
    /** One thing at a time: whatever is typed in a row is saved first, and the list loaded after. */
    async perform(callback) {
        if (this.state.isBusy || (await this.list.leaveEditMode?.()) === false) {
            return;
        }
        this.state.isBusy = true;
        try {
            await callback();
        } finally {
            this.state.isBusy = false;
        }
    }

    change(method, args) {
        return this.perform(async () => {
            this.ui.block();
            try {
                await this.orm.call(RUN, method, [[this.totals.run_id], ...args]);
            } finally {
                this.ui.unblock();
                await this.reload();
            }
        });
    }

    async reload() {
        if (status(this) !== "destroyed") {
            await this.props.model.load();
        }
    }

    setDate(name, date) {
        const text = date && serializeDate(date);
        if (text && text !== this.totals[name]) {
            const dates = { invoice_date: false, date_up_to: false, [name]: text };
            return this.change("set_mass_dates", [dates.invoice_date, dates.date_up_to]);
        }
    }

    async setOnAll(name, ev) {
        const { value } = ev.target;
        const chosen = ev.target.selectedOptions[0].textContent;
        ev.target.value = "";
        if (value) {
            await this.change("set_on_all_rows", [{ [name]: parseInt(value) || false }]);
            this.notification.add(
                _t("All %(count)s rows: %(chosen)s", { count: this.totals.list_count, chosen }),
                { type: "success" }
            );
        }
    }

    searchAgain() {
        return this.change("action_search_again", []);
    }

    billAll() {
        return this.bill(this.list.domain);
    }

    async billSelected() {
        const { domain, isDomainSelected } = this.list;
        return this.bill(
            isDomainSelected ? domain : [["id", "in", await this.list.getResIds(true)]]
        );
    }

    bill(domain) {
        return this.perform(async () => {
            const { run_id, invoice_date, date_up_to } = this.totals;
            const action = await this.orm.call(RUN, "mass_bill", [
                [run_id],
                domain,
                invoice_date,
                date_up_to,
            ]);
            // a yes leads away from here, and a no changes nothing that is shown
            await this.action.doAction(action);
        });
    }

    showMissing() {
        this.action.doAction("healthcare_billing.healthcare_billing_account_action_mass");
    }
}

/** Accounts that the search names and that have no row, each with the reason. */
export class MassBillingMissing extends Component {
    static template = "healthcare_billing.MassBillingMissing";
    static props = { model: Object };

    setup() {
        this.action = useService("action");
    }

    get totals() {
        return this.props.model.mass;
    }

    async openAccount(account) {
        const orm = this.env.services.orm;
        const action = await orm.call("healthcare.billing.account", "action_mend_mass_billing", [
            [account.id],
        ]);
        this.action.doAction(action);
    }

    showMissing() {
        this.action.doAction("healthcare_billing.healthcare_billing_account_action_mass");
    }
}

/** In place of the rows, when there are none: why. */
export class MassBillingEmpty extends MassBillingMissing {
    static template = "healthcare_billing.MassBillingEmpty";
}
