import { registry } from "@web/core/registry";
import { useOwnedDialogs } from "@web/core/utils/hooks";
import { KanbanController } from "@web/views/kanban/kanban_controller";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";
import { openRowDialog } from "./run_row_dialog";

/** Rows of a run in a view of their own: opening one leaves search, groups and page as they are. */
function withRowDialog(Controller) {
    return class extends Controller {
        setup() {
            super.setup();
            this.addDialog = useOwnedDialogs();
        }

        async openRecord(record) {
            openRowDialog(this.addDialog, record, () => this.model.load());
        }
    };
}

registry.category("views").add("healthcare_run_row_list", {
    ...listView,
    Controller: withRowDialog(ListController),
});
registry.category("views").add("healthcare_run_row_kanban", {
    ...kanbanView,
    Controller: withRowDialog(KanbanController),
});
