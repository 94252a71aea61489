import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { RelationalModel } from "@web/model/relational_model/relational_model";

/**
 * Issues of a billing cycle: the server looks again at those whose Fix was clicked before they are
 * read again, so that what was mended in a dialog is gone from the list.
 */
class IssueModel extends RelationalModel {
    async load(params) {
        const checkId = this.config.context?.healthcare_cycle_check_id;
        if (checkId) {
            await this.orm.call("healthcare.cycle.check", "action_look_at_touched", [[checkId]]);
        }
        return super.load(params);
    }
}

class IssueListController extends ListController {
    /** Rows that were mended disappear, unless the next one is being edited already. */
    async onRecordSaved() {
        await super.onRecordSaved(...arguments);
        this.model.mutex.getUnlockedDef().then(() =>
            browser.setTimeout(() => {
                const { root } = this.model;
                if (!root.editedRecord && root.records.some(({ data }) => data.is_mended)) {
                    this.model.load();
                }
            })
        );
    }
}

registry.category("views").add("healthcare_issue_list", {
    ...listView,
    Controller: IssueListController,
    Model: IssueModel,
});
registry.category("views").add("healthcare_issue_kanban", {
    ...kanbanView,
    Model: IssueModel,
});
