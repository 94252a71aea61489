import { CheckBox } from "@web/core/checkbox/checkbox";
import { registry } from "@web/core/registry";
import { Mutex } from "@web/core/utils/concurrency";
import { useOwnedDialogs, useService } from "@web/core/utils/hooks";
import { ListRenderer } from "@web/views/list/list_renderer";
import { booleanField, BooleanField } from "@web/views/fields/boolean/boolean_field";
import { X2ManyField, x2ManyField } from "@web/views/fields/x2many/x2many_field";
import { openRowDialog } from "./run_row_dialog";

import { useSubEnv } from "@odoo/owl";

/** The rows of a preview: a box in each, and one in the header for the page that is shown. */
export class RunRowsListRenderer extends ListRenderer {
    static template = "healthcare_billing.RunRowsListRenderer";

    async onCellClicked(record, column, ev, newWindow) {
        if (column.name === "selected") {
            return this.env.runRows.toggle([record], !record.data.selected);
        }
        return super.onCellClicked(record, column, ev, newWindow);
    }
}

/**
 * Rows of a billing run. A run may have thousands: ticking one, or a page, is one call to the
 * server, which answers with the totals of the whole run. The form is neither changed nor loaded
 * again. A click on a row opens it in a dialog of its own.
 */
export class RunRowsField extends X2ManyField {
    static template = "healthcare_billing.RunRowsField";
    static components = { ...X2ManyField.components, ListRenderer: RunRowsListRenderer, CheckBox };

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.addDialog = useOwnedDialogs();
        this.mutex = new Mutex();
        this.canOpenRecord = true;
        const field = this;
        useSubEnv({
            runRows: {
                toggle: (records, selected) => this.toggle(records, selected),
                togglePage: (selected) => this.toggle(this.list.records, selected),
                get isPageSelected() {
                    return field.isPageSelected;
                },
                get isPagePartly() {
                    return field.isPagePartly;
                },
                get isPreview() {
                    return field.isPreview;
                },
            },
        });
    }

    get isPreview() {
        return this.props.record.data.state === "draft";
    }

    get isPageSelected() {
        const { records } = this.list;
        return records.length > 0 && records.every((record) => record.data.selected);
    }

    get isPagePartly() {
        return !this.isPageSelected && this.list.records.some((record) => record.data.selected);
    }

    toggle(records, selected) {
        records = records.filter((record) => record.data.selected !== selected);
        if (!this.isPreview || !records.length) {
            return;
        }
        records.forEach((record) => record._applyValues({ selected }));
        return this.mutex.exec(() => this.saveSelection(records, selected));
    }

    async saveSelection(records, selected) {
        const run = this.props.record;
        const ids = records.map((record) => record.resId);
        try {
            const totals = await this.orm.call(run.resModel, "set_selected", [
                [run.resId],
                ids,
                selected,
            ]);
            delete totals.id;
            run._applyValues(totals);
        } catch (error) {
            records.forEach((record) => record._applyValues({ selected: !selected }));
            throw error;
        }
    }

    async openRecord(record) {
        const run = this.props.record;
        if ((await run.isDirty()) && !(await run.save())) {
            return;
        }
        openRowDialog(this.addDialog, record, () => this.reload());
    }

    /** Load the run again, on the same page. */
    async reload() {
        const { offset, limit } = this.list;
        await this.props.record.load();
        if (offset && offset < this.list.count) {
            await this.list.load({ offset, limit });
        }
    }
}

registry.category("fields").add("healthcare_run_rows", {
    ...x2ManyField,
    component: RunRowsField,
});

/** The box of a row: ticking it is saved at once. */
export class RowSelectedField extends BooleanField {
    static template = "healthcare_billing.RowSelectedField";

    /** Lists take no clicks on boxes of rows that aren't edited: the room around takes them. */
    onClickBox() {
        this.onChange(!this.props.record.data[this.props.name]);
    }

    onChange(selected) {
        this.env.runRows.toggle([this.props.record], selected);
    }
}

registry.category("fields").add("healthcare_row_selected", {
    ...booleanField,
    component: RowSelectedField,
});

/**
 * The charges of a row. They are linked by a many2many, yet corrected like lines of the row: with
 * the row's own save, so that the server can plan the row again.
 */
export class RowChargesField extends X2ManyField {
    get isMany2Many() {
        return false;
    }
}

registry.category("fields").add("healthcare_row_charges", {
    ...x2ManyField,
    component: RowChargesField,
});
