import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { formatMonetary } from "@web/views/fields/formatters";
import { KanbanRenderer } from "@web/views/kanban/kanban_renderer";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";

/** Number and sums of all bills that the search finds; those of a list's footer are its page's. */
export class BillTotals extends Component {
    static template = "healthcare_billing.BillTotals";
    static props = { list: Object };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ count: 0, amounts: [] });
        onWillStart(() => this.load(this.props.list));
        onWillUpdateProps(async ({ list }) => {
            // another root after each search and each reload
            if (list !== this.props.list) {
                await this.load(list);
            }
        });
    }

    get isProduction() {
        return this.props.list.context.healthcare_bill_list === "production";
    }

    async load(list) {
        const totals = await this.orm.call("account.move", "get_bill_totals", [list.domain], {
            context: user.context,
        });
        this.state.count = totals.reduce((sum, total) => sum + total.count, 0);
        this.state.amounts = totals.map((total) =>
            formatMonetary(total.amount, { currencyId: total.currency_id })
        );
    }
}

class BillListRenderer extends ListRenderer {
    static template = "healthcare_billing.BillListRenderer";
    static components = { ...ListRenderer.components, BillTotals };
}

class BillKanbanRenderer extends KanbanRenderer {
    static template = "healthcare_billing.BillKanbanRenderer";
    static components = { ...KanbanRenderer.components, BillTotals };
}

registry.category("views").add("healthcare_bill_list", {
    ...listView,
    Renderer: BillListRenderer,
});
registry.category("views").add("healthcare_bill_kanban", {
    ...kanbanView,
    Renderer: BillKanbanRenderer,
});
