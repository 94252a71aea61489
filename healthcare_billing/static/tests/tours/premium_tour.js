import { registry } from "@web/core/registry";

// Data: test_premium_tours.py. Anna is a client; "Evening extra" and "Meals" are services.
const PATIENCE = 60000;

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

/** A premium of evenings, under Configuration. */
function configure(add, choose, row) {
    return [
        { trigger: add, run: "click", timeout: PATIENCE },
        { trigger: ".o_field_widget[name=name] input", run: "edit Evening" },
        ...choose(".o_field_widget[name=product_id] input", "Evening extra"),
        {
            content: "What a rule needs is asked when it is chosen",
            trigger: ".o_form_view:not(:has(.o_field_widget[name=hour_from]))",
        },
        {
            trigger: ".o_field_widget[name=rule] label:contains(At certain hours)",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=hour_from] input",
            run: "edit 17:30 && press Tab",
        },
        {
            trigger: ".o_field_widget[name=hour_to] input",
            run: "edit 22:00 && press Tab",
        },
        { trigger: "div[name=explanation]:contains(starts at these hours)" },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved", timeout: PATIENCE },
        { trigger: ".o_back_button, .breadcrumb-item a", run: "click" },
        {
            content: "The list tells when it applies",
            trigger: `${row}:contains(Evening):contains(17:30 to 22:00)`,
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_premium_tour", {
    steps: () => configure(".o_list_button_add", pick, ".o_data_row"),
});

registry.category("web_tour.tours").add("healthcare_billing_premium_phone_tour", {
    steps: () => configure(".o-kanban-button-new", pickOnThePhone, ".o_kanban_record"),
});

/** Meals by the month, on the billing account. */
function clientPremium(choose) {
    const list = ".o_field_widget[name=client_premium_ids]";
    return [
        {
            trigger: ".o_notebook .nav-link[name=client_premiums]",
            run: "click",
            timeout: PATIENCE,
        },
        { trigger: `${list} .o_field_x2many_list_row_add a`, run: "click" },
        ...choose(`${list} .o_selected_row [name=product_id] input`, "Meals"),
        {
            content: "Monthly, unless it is changed",
            trigger: `${list} .o_selected_row [name=period] :value(Monthly)`,
        },
        {
            trigger: `${list} .o_selected_row [name=quantity] input`,
            run: "edit 2 && press Tab",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved", timeout: PATIENCE },
        { trigger: `${list} .o_data_row:contains(Meals):contains(Monthly)` },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_client_premium_tour", {
    steps: () => clientPremium(pick),
});

registry.category("web_tour.tours").add("healthcare_billing_client_premium_phone_tour", {
    steps: () => clientPremium(pickOnThePhone),
});

const CHARGES = ".o_field_widget[name=charge_ids]";

registry.category("web_tour.tours").add("healthcare_billing_manual_premium_tour", {
    steps: () => [
        {
            trigger: `${CHARGES} .o_field_x2many_list_row_add a`,
            run: "click",
            timeout: PATIENCE,
        },
        ...pick(`${CHARGES} .o_selected_row [name=premium_id] input`, "Two persons"),
        {
            content: "It brings its service along",
            trigger: `${CHARGES} .o_selected_row [name=product_id]:contains(Evening extra)`,
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved", timeout: PATIENCE },
        {
            content: "Priced",
            trigger: `${CHARGES} .o_data_row:contains(Two persons):contains(10.00)`,
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_manual_premium_phone_tour", {
    steps: () => [
        {
            trigger: `${CHARGES} .o-kanban-button-new`,
            run: "click",
            timeout: PATIENCE,
        },
        ...pickOnThePhone(".modal .o_field_widget[name=premium_id] input", "Two persons"),
        {
            content: "It brings its service along",
            trigger: ".modal .o_field_widget[name=product_id]:contains(Evening extra)",
        },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: `body:not(:has(.modal)) ${CHARGES} .o_kanban_record:contains(Evening extra)` },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved", timeout: PATIENCE },
        { trigger: `${CHARGES} .o_kanban_record:contains(Evening extra):contains(10.00)` },
    ],
});

/** The premiums of a cycle: of a visit, and by the month. */
function premiumsOfCycle(row, open) {
    return [
        ...open,
        {
            content: "What its clients owe by the month is made now",
            trigger: `${row}:contains(Meals):contains(7.00)`,
            timeout: PATIENCE,
        },
        { trigger: `${row}:contains(Evening extra):contains(10.00)` },
    ];
}

const BUTTON = "button[name=action_view_premiums]";

registry.category("web_tour.tours").add("healthcare_billing_cycle_premiums_tour", {
    steps: () => [
        ...premiumsOfCycle(".o_data_row", [
            { trigger: BUTTON, run: "click", timeout: PATIENCE },
        ]),
        { trigger: ".o_data_row:contains(Meals) td[name=quantity]", run: "click" },
        { trigger: ".o_selected_row td[name=quantity] input", run: "edit 3" },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_data_row:contains(Meals) td[name=amount]:contains(21.00)" },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_cycle_premiums_phone_tour", {
    steps: () =>
        premiumsOfCycle(".o_kanban_record", [
            {
                content: "The phone keeps the buttons in a menu",
                trigger: ".o-form-buttonbox .o_button_more, .o-form-buttonbox .dropdown-toggle",
                run: "click",
                timeout: PATIENCE,
            },
            { trigger: BUTTON, run: "click" },
        ]),
});

registry.category("web_tour.tours").add("healthcare_billing_apply_premiums_tour", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Anna Adams) .o_list_record_selector input",
            run: "click",
            timeout: PATIENCE,
        },
        { trigger: ".o_cp_action_menus .dropdown-toggle:contains(Actions)", run: "click" },
        { trigger: ".o-dropdown-item:contains(Apply Premiums)", run: "click" },
        { trigger: ".o_notification:contains(changed: 1 of 1)" },
    ],
});
