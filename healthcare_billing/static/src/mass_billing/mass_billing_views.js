import { registry } from "@web/core/registry";
import { useOwnedDialogs } from "@web/core/utils/hooks";
import { RelationalModel } from "@web/model/relational_model/relational_model";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { ListRenderer } from "@web/views/list/list_renderer";
import { listView } from "@web/views/list/list_view";
import { openRowDialog } from "../billing_run/run_row_dialog";
import { MassBillingBar, MassBillingEmpty, MassBillingMissing } from "./mass_billing_bar";

const RUN = "healthcare.billing.run";
const ROW_FORM = "healthcare_billing.healthcare_billing_run_line_view_form_mass";
// Columns that are changed in the list; a click on any other opens the row.
const EDITABLE = ["payment_term_id", "invoice_template_id"];

/** Rows of the user's open list, with totals of all that the search finds. */
class MassBillingModel extends RelationalModel {
    static withCache = false;

    async _loadData(config, cache) {
        if (config.isRoot) {
            // first: after billing there is no list any more, and this opens the next one
            await this.loadTotals(config.domain);
        }
        return super._loadData(config, cache);
    }

    async loadTotals(domain) {
        this.mass = await this.orm.call(RUN, "mass_screen", [domain]);
    }

    /** A row was changed: its page is true, and the totals follow. */
    async refreshTotals() {
        await this.loadTotals(this.config.domain);
        this.notify();
    }
}

function withMassBilling(Controller) {
    return class extends Controller {
        static components = {
            ...Controller.components,
            MassBillingBar,
            MassBillingEmpty,
            MassBillingMissing,
        };

        setup() {
            super.setup();
            this.addDialog = useOwnedDialogs();
        }

        get modelParams() {
            const params = super.modelParams;
            const { onSavedMulti } = params.hooks;
            params.hooks.onSavedMulti = async (...args) => {
                await onSavedMulti?.(...args);
                await this.model.refreshTotals();
            };
            return params;
        }

        async onRecordSaved(record) {
            await super.onRecordSaved?.(record);
            await this.model.refreshTotals();
        }

        /** The list stays as it is behind the row, with its search, page and ticks. */
        async openRecord(record) {
            const reload = () => this.model.load();
            openRowDialog(this.addDialog, record, reload, {
                context: { form_view_ref: ROW_FORM },
                onRecordDiscarded: reload, // an expense may have been added all the same
            });
        }
    };
}

class MassBillingListController extends withMassBilling(ListController) {
    static template = "healthcare_billing.MassBillingListView";
}

class MassBillingKanbanController extends withMassBilling(KanbanController) {
    static template = "healthcare_billing.MassBillingKanbanView";
}

class MassBillingListRenderer extends ListRenderer {
    async onCellClicked(record, column, ev, newWindow) {
        const { list } = this.props;
        if (column.name === "bill_again" && record.data.needs_tick && !list.selection.length) {
            return record.update({ bill_again: !record.data.bill_again }, { save: true });
        }
        if (list.selection.length || EDITABLE.includes(column.name)) {
            return super.onCellClicked(record, column, ev, newWindow);
        }
        if (!this.editedRecord || (await list.leaveEditMode())) {
            await this.props.openRecord(record);
        }
    }
}

registry.category("views").add("healthcare_mass_billing_list", {
    ...listView,
    Controller: MassBillingListController,
    Renderer: MassBillingListRenderer,
    Model: MassBillingModel,
});
registry.category("views").add("healthcare_mass_billing_kanban", {
    ...kanbanView,
    Controller: MassBillingKanbanController,
    Model: MassBillingModel,
});
