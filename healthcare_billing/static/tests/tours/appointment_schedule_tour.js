import { registry } from "@web/core/registry";
import {
    changeUpcomingTime,
    openInCalendar,
    pressInMyDay,
    pretendToBe,
    repeatWeekly,
    visitOnThePhone,
} from "@healthcare_billing/../tests/tours/appointment_steps";

// Data: test_appointment_screens.py. Two weeks from now there is a holiday.
registry.category("web_tour.tours").add("healthcare_billing_schedule_tour", {
    url: "/odoo/care-appointments?view_type=calendar",
    steps: () => [
        ...openInCalendar("Ivy Insured"),
        {
            content: "The popover tells service, status and fee",
            trigger: ".o_cw_popover:contains(Nursing):contains(Scheduled):contains(80.00)",
        },
        {
            trigger: ".o_cw_popover_edit",
            run: "click",
        },
        ...repeatWeekly("Winter Holiday"),
        ...changeUpcomingTime("16:30"),
        {
            content: "A new series at the new time",
            trigger: ".o_form_view .o_field_widget[name=rule_text]:contains(4:30)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_series_delete_tour", {
    url: "/odoo/care-appointments?view_type=calendar",
    steps: () => [
        ...openInCalendar("Ivy Insured"),
        {
            content: "The trash can of one of a series asks which ones",
            trigger: ".o_cw_popover_delete",
            run: "click",
        },
        {
            content: "This and all future is chosen already; it says how many",
            trigger: ".modal [name=summary]:contains(Deleted: 4)",
        },
        {
            trigger: ".modal button[name=action_apply]:contains(Delete)",
            run: "click",
        },
        {
            content: "Back in the calendar, without the appointment",
            trigger: ".o_calendar_view:not(:has(.o_event:contains(Ivy Insured)))",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_invoiced_delete_tour", {
    url: "/odoo/care-appointments?view_type=calendar",
    steps: () => [
        ...openInCalendar("Ivy Insured"),
        {
            content: "The popover names the invoice",
            trigger: ".o_cw_popover:contains(Invoice):contains(Draft)",
        },
        {
            trigger: ".o_cw_popover_delete",
            run: "click",
        },
        {
            trigger: ".modal .modal-footer button:contains(Delete)",
            run: "click",
        },
        {
            content: "The reason, in words",
            trigger: ".modal:contains(was invoiced and can't be deleted)",
        },
        {
            trigger: ".modal .modal-footer button.btn-primary",
            run: "click",
        },
        {
            content: "It is still there",
            trigger: ".o_event:contains(Ivy Insured)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_my_day_phone_tour", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "Address and phone to tap",
            trigger: ".o_kanban_record:contains(Ivy Insured) a[href^='tel:']",
        },
        {
            content: "The address is text where no map app opens it",
            trigger: ".o_kanban_record:contains(Ivy Insured) [name=visit_address]:contains(12 Maple Street):not(:has(a))",
            run: () => pretendToBe("Android"),
        },
        ...visitOnThePhone("Ivy Insured"),
        {
            content: "The phone's own map app, and no web site",
            trigger: ".o_kanban_record:contains(Ivy Insured) a[href^='geo:0,0?q=12%20Maple%20Street']",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_my_day_unclocked_phone_tour", {
    url: "/odoo/my-day",
    steps: () => [
        {
            content: "Without the clock",
            trigger: ".o_kanban_record:contains(Ivy Insured) button[name=action_check_in]",
            run: () => pretendToBe("iPhone"),
        },
        pressInMyDay("Ivy Insured", "action_complete"),
        {
            trigger: ".o_kanban_record:contains(Ivy Insured) a[href^='maps:?q=12%20Maple%20Street']",
        },
        pressInMyDay("Ivy Insured", "action_sign_note"),
        {
            content: "Said once, and shown as long as it lasts",
            trigger: ".o_notification:contains(Waits for the supervisor: Sue Supervisor)",
        },
        {
            trigger: ".o_kanban_record:contains(Ivy Insured):contains(Waits for the supervisor):not(:has(button[name=action_sign_note]))",
        },
        {
            content: "The same on the form",
            trigger: ".o_kanban_record:contains(Ivy Insured) .fw-bold",
            run: "click",
        },
        {
            trigger: ".o_form_view:contains(Waits for the supervisor):not(:has(button[name=action_sign_note]))",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_my_day_empty_phone_tour", {
    url: "/odoo/my-day",
    steps: () => [{ trigger: ".o_view_nocontent:contains(No visits today)" }],
});

registry.category("web_tour.tours").add("healthcare_billing_forgotten_phone_tour", {
    url: "/odoo/my-day",
    steps: () => [
        {
            trigger: ".o_kanban_record:contains(Ivy Insured):contains(Nobody checked out)",
        },
        {
            trigger: ".o_kanban_record:contains(Ivy Insured) button[name=action_check_out]",
            run: "click",
        },
        {
            content: "The planned length is proposed",
            trigger: ".modal button[name=action_save]",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(Ivy Insured) button[name=action_complete]",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_series_phone_tour", {
    url: "/odoo/care-appointments",
    steps: () => [
        {
            trigger: ".o_kanban_record:contains(Ivy Insured)",
            run: "click",
        },
        {
            trigger: ".o_statusbar_buttons .o_statusbar_button_dropdown_item, .o_statusbar_buttons button:has(.fa-ellipsis-v), .o_statusbar_buttons button.dropdown-toggle",
            run: "click",
        },
        ...repeatWeekly("Winter Holiday"),
        ...changeUpcomingTime("16:30"),
        {
            trigger: ".o_form_view .o_field_widget[name=rule_text]:contains(4:30)",
        },
    ],
});
