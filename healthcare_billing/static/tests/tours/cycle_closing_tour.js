import { registry } from "@web/core/registry";

// Data: test_cycle_closing_tours.py. A cycle with drafts of Anna (a date in the future), and Ben.
const PATIENCE = 60000;
const GONE = "body:not(:has(.modal))";

const MORE = {
    content: "The phone keeps all but the first buttons in a menu",
    trigger:
        ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons_dropdown_button, .o_statusbar_buttons button.o-dropdown",
    run: "click",
};

/** Close, see what happens, and mend what is left. */
function close(row, phone) {
    return [
        ...pressed("action_close", phone),
        {
            content: "What will happen: drafts, amount, per payer",
            trigger: ".modal .o_field_widget[name=draft_count]:contains(2)",
            timeout: PATIENCE,
        },
        {
            trigger: ".modal .o_field_widget[name=draft_amount]:contains(160.00)",
        },
        {
            trigger: ".modal .o_data_row:contains(Clients):contains(160.00)",
        },
        {
            content: "What is left behind",
            trigger: ".modal .alert:contains(Visits nobody approved) .o_field_widget:contains(1)",
        },
        {
            trigger: ".modal .o_field_widget[name=restrict_scheduling] input",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            content: "The draft that couldn't be posted, and why",
            trigger: `${GONE} ${row}:contains(Anna Adams):contains(in the future)`,
            timeout: PATIENCE,
        },
        {
            content: "Leave it to the next cycle",
            trigger: `${row}:contains(Anna Adams) button[name=action_move_to_next_cycle]`,
            run: "click",
        },
        {
            content: "Nothing is left",
            trigger: `.o_content:not(:has(${row}:contains(Anna Adams))) .o_view_nocontent:contains(No draft is left)`,
            timeout: PATIENCE,
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_cycle_close_tour", {
    steps: () => close(".o_data_row"),
});

registry.category("web_tour.tours").add("healthcare_billing_cycle_close_phone_tour", {
    steps: () => close(".o_kanban_record", true),
});

/** Void a paid invoice: it says first what becomes of the money. */
function voidPaid(open) {
    return [
        ...open,
        {
            trigger: ".modal .alert:contains(unapplied credit) .o_data_row:contains(30.00)",
            timeout: PATIENCE,
        },
        {
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit A visit was missing",
        },
        {
            trigger: ".modal .o_field_widget[name=confirmed] input",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            content: "The credit note",
            trigger: `${GONE} .o_form_view .o_content:contains(80.00), ${GONE} .o_form_view:contains(80.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${GONE} .o_form_view:contains(Credit Note)`,
        },
    ];
}

function pressed(name, phone) {
    const button = { trigger: `button[name=${name}]:visible`, run: "click" };
    return phone ? [MORE, button] : [button];
}

registry.category("web_tour.tours").add("healthcare_billing_void_tour", {
    steps: () => voidPaid(pressed("action_void", false)),
});

registry.category("web_tour.tours").add("healthcare_billing_void_phone_tour", {
    steps: () => voidPaid(pressed("action_void", true)),
});

/** Write a part off, by a reason. */
function writeOff(open, choose) {
    return [
        ...open,
        {
            trigger: ".modal .o_data_row td[name=residual]:contains(80.00)",
            timeout: PATIENCE,
        },
        ...choose("reason_id", "Tour bad debt"),
        {
            trigger: ".modal .o_field_widget[name=account_id]",
        },
        {
            trigger: ".modal .o_data_row td[name=amount]",
            run: "click",
        },
        {
            trigger: ".modal .o_data_row .o_field_widget[name=amount] input",
            run: "edit 5",
        },
        {
            trigger: ".modal .modal-title",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: ".o_notification:contains(Written off on 1 invoices)",
            timeout: PATIENCE,
        },
        {
            trigger: GONE,
        },
    ];
}

function pick(field, text) {
    return [
        {
            trigger: `.modal .o_field_widget[name=${field}] input`,
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
            trigger: `.modal .o_field_widget[name=${field}] input`,
            run: "click",
        },
        {
            trigger: `.modal .o_kanban_record:contains(${text})`,
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal .o_kanban_record))",
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_write_off_tour", {
    steps: () => writeOff(pressed("action_write_off", false), pick),
});

registry.category("web_tour.tours").add("healthcare_billing_write_off_phone_tour", {
    steps: () => writeOff(pressed("action_write_off", true), pickOnThePhone),
});

/** One client, now: preview, what isn't on it, creation. */
function adhoc(choose) {
    return [
        ...choose("client_id", "Anna Adams"),
        {
            trigger: ".modal button[name=action_search]",
            run: "click",
        },
        {
            content: "The preview",
            trigger: `${GONE} .o_form_view .o_field_widget[name=amount_selected]:contains(80.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: ".o_statusbar_buttons button:visible:contains(Create Selected Invoices)",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: ".o_notification:contains(1 invoices created)",
            timeout: PATIENCE,
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_adhoc_tour", {
    steps: () => adhoc(pick),
});

registry.category("web_tour.tours").add("healthcare_billing_adhoc_phone_tour", {
    steps: () => adhoc(pickOnThePhone),
});
