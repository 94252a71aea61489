import { registry } from "@web/core/registry";

// Data: test_expense_tours.py. Anna Adams and Ben Brown are clients; a vendor bill has two lines.
const PATIENCE = 60000;
const tours = registry.category("web_tour.tours");

/** Choose a record at a desk: type, and take the suggestion. */
function pick(input, text) {
    return [
        { trigger: input, run: `edit ${text}` },
        { trigger: `.ui-autocomplete > li > a:contains(${text})`, run: "click" },
    ];
}

/** On a phone, a field opens a list of cards. */
function pickOnThePhone(input, text) {
    return [
        { trigger: input, run: "click" },
        {
            trigger: `.o_select_create_dialog_content .o_kanban_record:contains(${text})`,
            run: "click",
        },
        { trigger: "body:not(:has(.o_select_create_dialog_content))" },
    ];
}

/** An expense: client, what it was, what it cost. */
function typeExpense(add, choose, row) {
    return [
        { trigger: add, run: "click", timeout: PATIENCE },
        ...choose(".o_field_widget[name=client_id] input", "Anna Adams"),
        {
            content: "The client's only billing account, and its markup",
            trigger: ".o_field_widget[name=billing_account_id] :value(Anna Adams)",
        },
        { trigger: ".o_field_widget[name=description] input", run: "edit Parking" },
        {
            trigger: ".o_field_widget[name=expense_cost] input",
            run: "edit 20 && press Tab",
        },
        {
            content: "Cost and 10 % make the price",
            trigger: ".o_field_widget[name=price_unit] :value(22.00)",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved", timeout: PATIENCE },
        { trigger: ".o_back_button, .breadcrumb-item a", run: "click" },
        { trigger: `${row}:contains(Anna Adams):contains(Parking):contains(22.00)` },
    ];
}

tours.add("healthcare_billing_expense_tour", {
    steps: () => typeExpense(".o_list_button_add", pick, ".o_data_row"),
});
tours.add("healthcare_billing_expense_phone_tour", {
    steps: () => typeExpense(".o-kanban-button-new", pickOnThePhone, ".o_kanban_record"),
});

const MAKE = ".modal button[name=action_bill]";
const ROW = ".modal:not(:has(.o_field_widget[name=line_ids]))";
const ROWS = ".modal .o_field_widget[name=line_ids]";

tours.add("healthcare_billing_vendor_expense_tour", {
    steps: () => [
        { trigger: "button[name=action_bill_to_clients]", run: "click", timeout: PATIENCE },
        {
            trigger: `${ROWS} .o_data_row:contains(Interpreter 1) td[name=billing_account_id]`,
            run: "click",
        },
        ...pick(`${ROWS} .o_selected_row [name=billing_account_id] input`, "Ben Brown"),
        {
            content: "Cost and markup make the price",
            trigger: `${ROWS} .o_selected_row [name=price] :value(110.00)`,
        },
        { trigger: MAKE, run: "click" },
        {
            content: "The expenses that were made",
            trigger: ".o_data_row:contains(Ben Brown):contains(Interpreter 1):contains(110.00)",
            timeout: PATIENCE,
        },
        { trigger: ".o_back_button, .breadcrumb-item a", run: "click" },
        {
            content: "The bill says what became of its line",
            trigger: ".o_data_row:contains(Interpreter 1):contains(Ben Brown: not billed yet)",
            timeout: PATIENCE,
        },
        { trigger: "button[name=action_bill_to_clients]", run: "click" },
        {
            content: "It can't be taken twice",
            trigger: `${ROWS} .o_data_row.text-muted:contains(Ben Brown: not billed yet)`,
        },
    ],
});

tours.add("healthcare_billing_vendor_expense_phone_tour", {
    steps: () => [
        {
            content: "The phone keeps the buttons in a menu",
            trigger: ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons .o_dropdown_more",
            run: "click",
            timeout: PATIENCE,
        },
        { trigger: "button[name=action_bill_to_clients]", run: "click" },
        { trigger: `${ROWS} .o_kanban_record:contains(Interpreter 1)`, run: "click" },
        ...pickOnThePhone(`${ROW} .o_field_widget[name=billing_account_id] input`, "Ben Brown"),
        { trigger: `${ROW} .o_field_widget[name=price] :value(110.00)` },
        { trigger: `${ROW} .o_form_button_save`, run: "click" },
        { trigger: `${ROWS} .o_kanban_record:contains(Ben Brown):contains(110.00)` },
        { trigger: MAKE, run: "click" },
        {
            trigger:
                "body:not(:has(.modal)) .o_kanban_record:contains(Ben Brown):contains(110.00)",
            timeout: PATIENCE,
        },
    ],
});
