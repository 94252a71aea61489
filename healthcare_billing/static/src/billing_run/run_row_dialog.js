import { _t } from "@web/core/l10n/translation";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";

/**
 * Open a row of a billing run. Saving may move its items to other rows, so that the row itself may
 * be gone afterwards: whoever shows rows loads them again.
 *
 * @param {Function} addDialog
 * @param {Record} record row
 * @param {Function} onRecordSaved
 * @param {Object} [props] more of the dialog
 */
export function openRowDialog(addDialog, record, onRecordSaved, props = {}) {
    addDialog(FormViewDialog, {
        resModel: record.resModel,
        resId: record.resId,
        title: _t("Invoice to Be"),
        canExpand: false,
        size: "xl",
        onRecordSaved,
        ...props,
    });
}
