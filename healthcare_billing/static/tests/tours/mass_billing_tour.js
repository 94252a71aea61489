import { registry } from "@web/core/registry";

const { DateTime } = luxon;

const BAR = ".o_healthcare_mass_bar";
const YESTERDAY = DateTime.now().minus({ days: 1 }).toFormat("MM/dd/yyyy");

const total = (name, text) => ({ trigger: `${BAR} [name=${name}]:contains(${text})` });

function search(text) {
    return [
        { trigger: ".o_searchview_input", run: `edit ${text}` },
        { trigger: ".o_searchview_autocomplete", run: "press Enter" },
        { trigger: `.o_searchview_facet:contains(${text})` },
    ];
}

const clearSearch = { trigger: ".o_searchview_facet .o_facet_remove", run: "click" };

const confirmBills = [
    {
        content: "Yes",
        trigger: ".modal button[name=action_confirm]",
        run: "click",
    },
    {
        content: "The drafts",
        trigger: `body:not(:has(.modal)):not(:has(${BAR})) .o_data_row:contains(Ben Brown)`,
    },
];

const toggleFilters = { trigger: ".o_searchview_dropdown_toggler", run: "click" };

// Data: test_mass_billing_tours.py. Anna 100.00 of work; Ben 200.00 of work and a quote of 500.00;
// Cora 300.00 of work and expenses of 20.00; Dora 400.00, all of today; Eve is excluded, Bea Brown archived; Fay's fee of
// this month is billed, and she has 60.00 of work.
registry.category("web_tour.tours").add("healthcare_billing_mass_billing_tour", {
    steps: () => [
        total("row_count", 5),
        total("wip", "1,080.00"),
        { content: "What is not due isn't billed", ...total("due", "1,320.00 · 4 bills") },
        { content: "Another cut-off", trigger: `${BAR} [name=date_up_to] input`, run: "click" },
        {
            trigger: `${BAR} [name=date_up_to] input`,
            run: `edit ${YESTERDAY} && press Enter`,
        },
        { content: "Now Dora has no row", ...total("row_count", 4) },
        { trigger: "body:not(:has(.o_data_row:contains(Dora Dunn)))" },
        ...search("Eve"),
        {
            content: "Why she isn't on the list",
            trigger: ".o_healthcare_mass_missing:contains(Eve Evans):contains(excluded)",
        },
        { trigger: `${BAR} button[name=bill_all]:disabled` },
        clearSearch,
        { trigger: "body:not(:has(.o_healthcare_mass_missing))" },
        ...search("Brown"),
        { content: "One has a row ...", ...total("row_count", "1 of 4") },
        { trigger: ".o_data_row:contains(Ben Brown)" },
        {
            content: "... and of the other it says why not",
            trigger: ".o_healthcare_mass_missing:contains(Bea Brown):contains(archived)",
        },
        clearSearch,
        { content: "Tick two", trigger: ".o_data_row:contains(Anna Adams) .o_list_record_selector input", run: "click" },
        { trigger: ".o_data_row:contains(Ben Brown) .o_list_record_selector input", run: "click" },
        { content: "What they come to", ...total("selected", "2 · $ 600.00") },
        { trigger: `${BAR} button[name=bill_selected]`, run: "click" },
        { trigger: ".modal [name=mass] [name=invoice_count]:contains(2)" },
        { trigger: ".modal [name=mass] [name=amount]:contains(600.00)" },
        { trigger: ".modal [name=other_count]:contains(2)" },
        ...confirmBills,
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_mass_billing_filter_tour", {
    steps: () => [
        total("row_count", 5),
        toggleFilters,
        { trigger: ".o_filter_menu .o-dropdown-item:contains(Quote)", run: "click" },
        { content: "The totals are those of the search", ...total("row_count", "1 of 5") },
        total("due", "500.00"),
        { trigger: ".o_add_favorite", run: "click" },
        { trigger: ".o_favorite_menu input[type=text]", run: "edit Quotes only" },
        { trigger: ".o_favorite_menu .o_save_favorite", run: "click" },
        { trigger: ".o_searchview_facet:contains(Quotes only)" },
        {
            trigger: `${BAR} button[name=bill_all]:contains(Bill All 1 Found)`,
            run: "click",
        },
        { trigger: ".modal [name=mass] [name=amount]:contains(500.00)" },
        { trigger: ".modal [name=other_count]:contains(4)" },
        ...confirmBills,
        {
            content: "Back: what is left, in a list of its own",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item a:contains(Mass Billing)",
            run: "click",
        },
        total("row_count", "0 of 4"),
        clearSearch,
        total("row_count", 4),
        { content: "The favorite is of no run", ...toggleFilters },
        { trigger: ".o_favorite_menu .o-dropdown-item:contains(Quotes only)", run: "click" },
        total("row_count", "0 of 4"),
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_mass_billing_row_tour", {
    steps: () => [
        total("row_count", 5),
        { content: "One template for all", trigger: `${BAR} [name=invoice_template_id] select`, run: "selectByLabel Bill of Tests" },
        { trigger: ".o_data_row:contains(Anna Adams) td[name=invoice_template_id]:contains(Bill of Tests)" },
        { trigger: ".o_data_row:contains(Ben Brown) td[name=invoice_template_id]:contains(Bill of Tests)" },
        { content: "Open a row", trigger: ".o_data_row:contains(Anna Adams) td[name=amount]", run: "click" },
        { trigger: ".modal .o_field_widget[name=billing_account_id]:contains(Anna Adams)" },
        { trigger: ".modal .o_healthcare_row_charges .o_data_row td[name=price_unit]", run: "click" },
        {
            trigger: ".modal .o_healthcare_row_charges td[name=price_unit] input",
            run: "edit 150 && press Tab",
        },
        { trigger: ".modal .o_field_widget[name=amount_now]:contains(150.00)" },
        { trigger: ".modal .o_form_button_save", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_data_row:contains(Anna Adams) td[name=amount]:contains(150.00)" },
        { content: "The totals follow", ...total("due", "1,370.00") },
        { trigger: ".o_data_row:contains(Anna Adams) td[name=amount]", run: "click" },
        { content: "Something is missing", trigger: ".modal button[name=add_expense]", run: "click" },
        { trigger: ".modal .o_field_widget[name=client_id] input:value(Anna Adams)" },
        { trigger: ".modal .o_field_widget[name=description] input", run: "edit Parking" },
        { trigger: ".modal .o_field_widget[name=expense_cost] input", run: "edit 25 && press Tab" },
        { trigger: ".modal .o_field_widget[name=price_unit] input:value(25)" },
        {
            trigger: ".modal:has([name=expense_cost]) .o_form_button_save",
            run: "click",
        },
        { trigger: "body:not(:has(.modal [name=expense_cost]))" },
        { trigger: ".modal .o_field_widget[name=amount_expense]:contains(25.00)" },
        { trigger: ".modal .o_field_widget[name=amount_now]:contains(175.00)" },
        { trigger: ".modal .o_form_button_cancel", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_data_row:contains(Anna Adams) td[name=amount]:contains(175.00)" },
        { content: "Nothing is due, yet it is billed", trigger: ".o_data_row:contains(Fay Fisher) td[name=bill_again]", run: "click" },
        { trigger: ".o_data_row:contains(Fay Fisher) td[name=bill_again] input:checked" },
        { content: "A fee more", ...total("due", "1,645.00") },
        { trigger: `${BAR} button[name=missing]:contains(not on this list)`, run: "click" },
        { trigger: ".o_data_row:contains(Eve Evans) td[name=mass_billing_reason]:contains(excluded)" },
        { trigger: ".o_data_row:contains(Eve Evans) button[name=action_mend_mass_billing]", run: "click" },
        { trigger: ".o_form_view .o_field_widget[name=client_id]" },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_mass_billing_phone_tour", {
    steps: () => [
        total("row_count", 5),
        {
            content: "Tick two cards",
            trigger: ".o_kanban_record:contains(Anna Adams) .o_healthcare_pick",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(Ben Brown) .o_healthcare_pick",
            run: "click",
        },
        total("selected", "2 · $ 600.00"),
        { trigger: `${BAR} button[name=bill_selected]`, run: "click" },
        { trigger: ".modal [name=mass] [name=amount]:contains(600.00)" },
        { trigger: ".modal button[name=action_confirm]", run: "click" },
        {
            content: "The drafts",
            trigger: `body:not(:has(.modal)):not(:has(${BAR})) .o_kanban_record:contains(Ben Brown)`,
        },
    ],
});
