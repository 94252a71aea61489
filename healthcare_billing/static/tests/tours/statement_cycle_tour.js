import { registry } from "@web/core/registry";
import {
    newStatement,
    openAppAtReceivables,
    openReceivables,
    stateIs,
} from "./receivable_steps";

const COMMIT = {
    content: "Commit",
    trigger: ".o_statusbar_buttons button[name=action_commit]",
    run: "click",
};

const OPEN_CLOSE = {
    content: "What becomes of it?",
    trigger: ".o_statusbar_buttons button[name=action_close]:contains(Close)",
    run: "click",
};

/** In the dialog: another outcome than paid. */
function closeAs(outcome) {
    return [
        OPEN_CLOSE,
        {
            trigger: `.modal .o_field_widget[name=outcome] .o_radio_item:contains(${outcome}) input`,
            run: "click",
        },
        {
            trigger: `.modal .o_field_widget[name=outcome] .o_radio_item:contains(${outcome}) input:checked`,
        },
    ];
}

const CONFIRM = {
    trigger: ".modal button[name=action_confirm]",
    run: "click",
};

// Data: test_statement_cycle_tours.py. Anna owes two visits of 80.00; what was billed once, and
// not paid, is for collections.
registry.category("web_tour.tours").add("healthcare_billing_statement_cycle_tour", {
    url: "/odoo",
    steps: () => [
        ...openAppAtReceivables("healthcare_statement_menu"),
        ...newStatement("Anna Adams", 2),
        COMMIT,
        stateIs("Committed"),

        // 50.00 came
        OPEN_CLOSE,
        {
            content: "All of it is filled in",
            trigger: ".modal .o_field_widget[name=amount] input:value(160.00)",
            timeout: 30000,
        },
        {
            trigger: ".modal .o_field_widget[name=amount] input",
            run: "edit 50 && press Tab",
        },
        {
            content: "What is short",
            trigger: ".modal .o_group .o_field_widget[name=left]:contains(110.00)",
        },
        {
            content: "It goes to the oldest item",
            trigger: ".modal .o_data_row:nth-child(1) td[name=settled]:contains(50.00)",
        },
        {
            trigger: ".modal .o_data_row:nth-child(2) td[name=becomes]:contains(Billing office)",
        },
        CONFIRM,
        stateIs("Closed: Paid"),

        // The rest is to be billed again
        ...openReceivables("healthcare_rebilling_menu"),
        {
            trigger: ".o_group_header:contains(To Bill):contains(110.00)",
            timeout: 30000,
        },
        ...openReceivables("healthcare_statement_menu"),
        ...newStatement("Anna Adams", 2),
        {
            trigger: ".o_field_widget[name=amount_total]:contains(110.00)",
        },
        COMMIT,
        stateIs("Committed"),
        ...closeAs("Unpaid"),
        CONFIRM,
        stateIs("Closed: Unpaid"),

        // Billed often enough: to collections
        ...openReceivables("healthcare_rebilling_menu"),
        {
            trigger: ".o_group_header:contains(For Collections):contains(110.00)",
            timeout: 30000,
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(Anna Adams)",
        },
        {
            content: "All of them",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_control_panel button[name=action_make_collections]",
            run: "click",
        },
        {
            trigger: ".o_breadcrumb:contains(Collections Statements)",
            timeout: 30000,
        },
        {
            content: "Anna's",
            trigger: ".o_data_row:contains(110.00) td[name=partner_id]:contains(Anna Adams)",
            run: "click",
        },
        COMMIT,
        stateIs("Committed"),
        ...closeAs("Sold"),
        {
            content: "The reason is filled in",
            trigger: ".modal .o_field_widget[name=reason_id] input:value(/.+/)",
        },
        {
            trigger: ".modal .o_data_row:nth-child(2) td[name=becomes]:contains(Sold)",
        },
        CONFIRM,
        stateIs("Closed: Sold"),
        {
            content: "What was lost",
            trigger: ".oe_stat_button[name=action_view_write_offs]",
        },
    ],
});
