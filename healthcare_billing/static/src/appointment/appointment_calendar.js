import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { calendarView } from "@web/views/calendar/calendar_view";
import { CalendarController } from "@web/views/calendar/calendar_controller";
import { CalendarModel } from "@web/views/calendar/calendar_model";

export class AppointmentCalendarModel extends CalendarModel {
    /**
     * What may not move (an invoiced appointment) goes back to where it was, below the error that says why.
     *
     * @override
     */
    async updateRecord(record, options) {
        try {
            return await super.updateRecord(record, options);
        } catch (error) {
            await this.load();
            throw error;
        }
    }

    /** @override */
    async unlinkRecord(recordId) {
        try {
            return await super.unlinkRecord(recordId);
        } catch (error) {
            await this.load();
            throw error;
        }
    }
}

export class AppointmentCalendarController extends CalendarController {
    get className() {
        return `${super.className || ""} o_healthcare_appointment_calendar`;
    }

    get editRecordDefaultDisplayText() {
        return _t("New Appointment");
    }

    /**
     * One of a series: ask whether this one goes, or this and all future ones.
     *
     * @override
     */
    async deleteRecord(record) {
        if (!record.rawRecord.series_id) {
            return super.deleteRecord(record);
        }
        const action = await this.orm.call("healthcare.appointment", "action_delete_series", [
            [record.id],
        ]);
        action.context = { ...action.context, healthcare_stay: true };
        return this.action.doAction(action, { onClose: () => this.model.load() });
    }

    /** @override */
    deleteConfirmationDialogProps(record) {
        return {
            ...super.deleteConfirmationDialogProps(record),
            title: _t("Delete this appointment?"),
            body: _t("%s: the appointment and its planned charges are deleted.", record.title),
        };
    }
}

registry.category("views").add("healthcare_appointment_calendar", {
    ...calendarView,
    Controller: AppointmentCalendarController,
    Model: AppointmentCalendarModel,
});
