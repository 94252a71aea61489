import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";

/** What decides the price of charges to come, on billing accounts and on clients. */
const PRICING_FIELDS = [
    "default_product_id",
    "default_fee",
    "has_default_fee",
    "rate_ids",
    "care_default_product_id",
    "care_default_fee",
    "care_has_default_fee",
    "billing_account_ids",
];

/**
 * After a default service, fee or rate was saved, show what it would change of charges that exist.
 * Nothing depends on this: the button "Reprice" shows the same at any time.
 */
export class RepriceFormController extends FormController {
    setup() {
        super.setup();
        this.actionService = useService("action");
    }

    async beforeExecuteActionButton(clickParams) {
        this.opensReprice = clickParams.name === "action_reprice";
        try {
            return await super.beforeExecuteActionButton(...arguments);
        } finally {
            this.opensReprice = false;
        }
    }

    async onRecordSaved(record, changes) {
        await super.onRecordSaved(...arguments);
        const changed = PRICING_FIELDS.some((name) => name in (changes || {}));
        if (!changed || this.opensReprice || !record.resId) {
            return;
        }
        const action = await this.orm.call(record.resModel, "action_reprice_if_affected", [
            [record.resId],
        ]);
        if (action) {
            // not awaited: saving is over, and leaving the form mustn't wait for the dialog
            this.actionService.doAction(action);
        }
    }
}

registry.category("views").add("healthcare_reprice_form", {
    ...formView,
    Controller: RepriceFormController,
});
