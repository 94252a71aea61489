import { CheckBox } from "@web/core/checkbox/checkbox";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useOwnedDialogs, useService } from "@web/core/utils/hooks";
import {
    booleanToggleField,
    BooleanToggleField,
} from "@web/views/fields/boolean_toggle/boolean_toggle_field";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

import { Component } from "@odoo/owl";

const ROW = "healthcare.billing.run.line";

/** The tick of a card: on the phone nobody finds the long touch that selects. */
export class PickCard extends Component {
    static template = "healthcare_billing.PickCard";
    static components = { CheckBox };
    static props = { ...standardWidgetProps };

    toggle() {
        this.props.record.toggleSelection();
    }
}

registry.category("view_widgets").add("healthcare_pick_card", { component: PickCard });

/** Adds something to a row's bill before it is made: saving it plans the row anew. */
export class AddCharge extends Component {
    static template = "healthcare_billing.AddCharge";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.addDialog = useOwnedDialogs();
    }

    async add(kind) {
        const row = this.props.record;
        if ((await row.isDirty()) && !(await row.save())) {
            return;
        }
        const context = await this.orm.call(ROW, "new_charge_defaults", [[row.resId], kind]);
        this.addDialog(FormViewDialog, {
            resModel: "healthcare.charge",
            title: kind === "expense" ? _t("Add an Expense") : _t("Add a Charge"),
            context,
            canExpand: false,
            onRecordSaved: (charge) => this.planAgain(charge),
        });
    }

    async planAgain(charge) {
        const row = this.props.record;
        await this.orm.call(ROW, "plan_new_charge", [[row.resId], charge.resId]);
        await row.load();
    }
}

registry.category("view_widgets").add("healthcare_add_charge", { component: AddCharge });

/** Says of a row that nothing is due, and lets it be billed all the same. */
export class BillAgainField extends BooleanToggleField {
    static template = "healthcare_billing.BillAgainField";
}

registry.category("fields").add("healthcare_bill_again", {
    ...booleanToggleField,
    component: BillAgainField,
});
