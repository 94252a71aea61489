import { registry } from "@web/core/registry";

import { openInCalendar } from "./appointment_steps";

// Data: test_therapy_month.py. Anna pays herself, and all that her superbill says is known. The
// practice bills nothing without a signed note.

function pick(field, text) {
    return [
        {
            content: `${field}: ${text}`,
            trigger: `.o_form_view .o_field_widget[name=${field}] input`,
            run: `edit ${text}`,
        },
        {
            trigger: `.ui-autocomplete > li > a:contains(${text})`,
            run: "click",
        },
    ];
}

/** On a phone, a field opens a list of cards. */
function pickOnThePhone(field, text) {
    return [
        {
            content: `${field}: ${text}`,
            trigger: `.o_form_view .o_field_widget[name=${field}] input`,
            run: "click",
        },
        {
            trigger: `.modal .o_kanban_record:contains(${text})`,
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ];
}

function press(name) {
    return {
        content: `Press ${name}`,
        trigger: `.o_statusbar_buttons button[name=${name}]:visible`,
        run: "click",
    };
}

/** Who, by whom and what: a session is scheduled. */
function schedule(choose) {
    return [
        ...choose("client_id", "Anna Adams"),
        ...choose("employee_id", "Pat Provider"),
        ...choose("product_id", "Nursing"),
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
    ];
}

/** The session is given and written up; each step says what is still to do. */
function giveCare(row) {
    return [
        {
            content: "It has its charge",
            trigger: `.o_field_widget[name=charge_ids] ${row}:contains(80.00)`,
        },
        {
            trigger: `div[name=why_not_billed] ${row}:contains(Not done yet)`,
        },
        press("action_complete"),
        {
            content: "The note is all that is missing",
            trigger: `div[name=why_not_billed] ${row}:contains(Note)`,
        },
        press("action_sign_note"),
        {
            trigger: "div[name=ready_to_bill]:contains(Nothing keeps)",
        },
    ];
}

/** From the criteria to the invoice in the books. */
function invoiceIt(row, openInvoice) {
    return [
        {
            content: "The criteria begin with the current month",
            trigger: ".modal button[name=action_search]",
            run: "click",
        },
        {
            trigger: `${row}:contains(Anna Adams):contains(80.00)`,
        },
        {
            content: "Create",
            trigger: ".o_statusbar_buttons button:contains(Create Selected Invoices):visible",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=amount]:contains(80.00)",
        },
        {
            content: "Yes",
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: ".o_healthcare_results .o_field_widget[name=created_count]:contains(1)",
        },
        ...openInvoice,
        {
            content: "Post",
            trigger: ".o_statusbar_buttons button[name=action_post]:contains(Confirm):visible",
            run: "click",
        },
    ];
}

/** From the preview to the superbill with its number. */
function issueSuperbill(row) {
    return [
        {
            content: "The preview says that nothing is missing",
            trigger: "div[name=ready]:contains(Nothing is missing)",
        },
        {
            trigger: `.o_field_widget[name=document_ids] ${row}:contains(Annabel Adams):contains(80.00)`,
        },
        press("action_issue"),
        {
            trigger: ".o_healthcare_superbill .o_field_widget[name=name]:contains(SB)",
        },
        {
            content: "It says what was done",
            trigger: `.o_field_widget[name=line_ids] ${row}:contains(T1001)`,
        },
        {
            trigger: ".o_statusbar_buttons button[name=action_print]",
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_therapy_month_tour", {
    url: "/odoo/care-appointments?view_type=calendar",
    steps: () => [
        {
            content: "A click on today, in the calendar",
            trigger: ".o_calendar_view .fc-timegrid-col.fc-day-today",
            run: "click",
        },
        ...schedule(pick),
        ...openInCalendar("Anna Adams"),
        {
            content: "Open the session",
            trigger: ".o_cw_popover .o_cw_popover_edit",
            run: "click",
        },
        ...giveCare(".o_data_row"),
        {
            content: "Back to the calendar",
            trigger: ".modal .modal-header .btn-close",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            trigger:
                'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_billing"]',
            run: "click",
        },
        {
            trigger:
                'a[data-menu-xmlid="healthcare_billing.healthcare_batch_invoicing_menu"]',
            run: "click",
        },
        ...invoiceIt(".o_data_row", [
            {
                trigger: ".o_data_row:contains(Anna Adams) button[name=action_view_move]",
                run: "click",
            },
        ]),
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Posted)",
        },
        press("action_superbill"),
        ...issueSuperbill(".o_data_row"),
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_therapy_month_phone_tour", {
    url: "/odoo/care-appointments",
    steps: () => [
        {
            trigger: ".o-kanban-button-new",
            run: "click",
        },
        ...schedule(pickOnThePhone),
        ...giveCare(".o_kanban_record"),
        {
            content: "The menu of the app",
            trigger: ".o_navbar .o_menu_toggle",
            run: "click",
        },
        {
            trigger:
                '.o_app_menu_sidebar [data-menu-xmlid="healthcare_billing.healthcare_batch_invoicing_menu"]',
            run: "click",
        },
        ...invoiceIt(".o_kanban_record", [
            {
                content: "Tap the row",
                trigger: ".o_kanban_record:contains(Anna Adams) span:contains(80.00)",
                run: "click",
            },
            {
                trigger: ".modal button[name=action_view_move]",
                run: "click",
            },
        ]),
        {
            trigger: ".o_statusbar_status button:visible:contains(Posted)",
        },
        {
            content: "The phone keeps all but the first buttons in a menu",
            trigger:
                ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons_dropdown_button, .o_statusbar_buttons button.o-dropdown",
            run: "click",
        },
        {
            trigger: "button[name=action_superbill]:visible",
            run: "click",
        },
        ...issueSuperbill(".o_kanban_record"),
    ],
});
