import { registry } from "@web/core/registry";

// Data: test_expense_tours.py. Anna Adams and Ben Brown have a billing account each.
const PATIENCE = 60000;
const tours = registry.category("web_tour.tours");

/** A quote, who gets bills by e-mail, and a markup of its own. */
const OPTIONS = [
    { trigger: ".o_notebook .nav-link[name=billing_options]", run: "click", timeout: PATIENCE },
    {
        content: "What a basis needs is asked when it is chosen",
        trigger: ".o_form_view:not(:has(.o_field_widget[name=quote_amount]))",
    },
    { trigger: ".o_field_widget[name=billing_basis] label:contains(Quote)", run: "click" },
    { trigger: ".text-warning:contains(billed at nothing)" },
    {
        trigger: ".o_field_widget[name=quote_amount] input",
        run: "edit 400 && press Tab",
    },
    { trigger: ".o_field_widget[name=quote_left]:contains(400.00)" },
    {
        trigger: ".o_field_widget[name=delivery_email] input",
        run: "edit anna@example.com, office@example.com && press Tab",
    },
    {
        content: "Only with an address there is an e-mail",
        trigger: ".o_field_widget[name=delivery_template_id]",
    },
    { trigger: ".o_field_widget[name=has_expense_markup] input", run: "click" },
    {
        trigger: ".o_field_widget[name=expense_markup] input",
        run: "edit 15 && press Tab",
    },
    { trigger: ".o_form_button_save", run: "click" },
    { trigger: ".o_form_saved", timeout: PATIENCE },
];

tours.add("healthcare_billing_options_tour", {
    steps: () => [
        ...OPTIONS,
        { trigger: ".o_field_widget[name=billing_basis] label:contains(Fixed Fee)", run: "click" },
        {
            trigger: ".o_field_widget[name=instalment_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=instalment_ids] .o_selected_row [name=name] input",
            run: "edit First half",
        },
        {
            trigger: ".o_field_widget[name=instalment_ids] .o_selected_row [name=date] input",
            run: "edit 03/03/2025 && press Tab",
        },
        {
            trigger: ".o_field_widget[name=instalment_ids] .o_selected_row [name=amount] input",
            run: "edit 200 && press Tab",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved", timeout: PATIENCE },
        { trigger: ".o_field_widget[name=instalment_ids] .o_data_row:contains(Due)" },
    ],
});

tours.add("healthcare_billing_options_phone_tour", { steps: () => OPTIONS });

// The options of many accounts at once: tick them, change one.
tours.add("healthcare_billing_bulk_options_tour", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(Anna Adams) .o_list_record_selector input",
            run: "click",
            timeout: PATIENCE,
        },
        {
            trigger: ".o_data_row:contains(Ben Brown) .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(Ben Brown) td[name=delivery_email]",
            run: "click",
        },
        {
            trigger: ".o_selected_row td[name=delivery_email] input",
            run: "edit clerk@example.com && press Enter",
        },
        { trigger: ".modal .btn-primary:contains(Update)", run: "click" },
        { trigger: ".o_data_row:contains(Anna Adams):contains(clerk@example.com)" },
        { trigger: ".o_data_row:contains(Ben Brown):contains(clerk@example.com)" },
    ],
});
