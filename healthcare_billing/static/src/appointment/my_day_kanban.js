import { useExternalListener } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { kanbanView } from "@web/views/kanban/kanban_view";
import { KanbanController } from "@web/views/kanban/kanban_controller";

/** A phone is looked at again and again: each time it shows the visits as they are by now. */
export class MyDayKanbanController extends KanbanController {
    setup() {
        super.setup();
        useExternalListener(document, "visibilitychange", () => {
            if (!document.hidden) {
                this.model.load();
            }
        });
    }

    /** On a phone, checking in without a schedule has the room that planning a visit had. */
    get canCreate() {
        return super.canCreate && !(this.env.isSmall && this.headerButtons.length);
    }
}

registry.category("views").add("healthcare_my_day", {
    ...kanbanView,
    Controller: MyDayKanbanController,
});
