import { registry } from "@web/core/registry";

// Data: test_tours.py. Ivy is insured, and the provider has no NPI.
registry.category("web_tour.tours").add("healthcare_billing_appointment_tour", {
    url: "/odoo/care-appointments",
    steps: () => [
        {
            content: "New appointment",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "Who receives care",
            trigger: ".o_field_widget[name=client_id] input",
            run: "edit Ivy",
        },
        {
            trigger: ".ui-autocomplete > li > a:contains(Ivy Insured)",
            run: "click",
        },
        {
            content: "The payer is the billing account's",
            trigger: ".o_field_widget[name=payer_id] input:value(Test Insurance)",
        },
        {
            content: "Who gives it",
            trigger: ".o_field_widget[name=employee_id] input",
            run: "edit Nina",
        },
        {
            trigger: ".ui-autocomplete > li > a:contains(Nina Newcomer)",
            run: "click",
        },
        {
            content: "What",
            trigger: ".o_field_widget[name=product_id] input",
            run: "edit Nursing",
        },
        {
            trigger: ".ui-autocomplete > li > a:contains(Nursing)",
            run: "click",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It has its charge, and says what is missing before it can be billed",
            trigger: ".o_field_widget[name=charge_ids] .o_data_row:contains(80.00)",
        },
        {
            trigger: "div[name=why_not_billed] .o_data_row:contains(Not done yet)",
        },
        {
            content: "Complete",
            trigger: ".o_statusbar_buttons button[name=action_complete]",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Completed)",
        },
        {
            content: "Why not billed, and the button that mends it",
            trigger: "div[name=why_not_billed] .o_data_row:contains(No NPI) button:contains(Fix)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=npi] input",
            run: "edit 1888888884",
        },
        {
            trigger: ".modal button[name=action_save]",
            run: "click",
        },
        {
            content: "Mended",
            trigger: "div[name=ready_to_bill]:contains(Nothing keeps)",
        },
        {
            content: "Invoice it right away",
            trigger: ".o_statusbar_buttons button[name=action_batch_invoice]",
            run: "click",
        },
        {
            trigger: ".o_healthcare_totals .o_field_widget[name=amount_selected]:contains(80.00)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_appointment_phone_tour", {
    url: "/odoo/care-appointments",
    steps: () => [
        {
            content: "On the phone, cards",
            trigger: ".o_kanban_record:contains(Ivy Insured)",
            run: "click",
        },
        {
            trigger: ".o_statusbar_buttons button[name=action_complete]",
            run: "click",
        },
        {
            content: "The reasons are cards, too",
            trigger: "div[name=why_not_billed] .o_kanban_record:contains(No NPI)",
        },
        {
            content: "Charges are cards",
            trigger: ".o_field_widget[name=charge_ids] .o_kanban_record:contains(80.00)",
        },
        {
            trigger: "div[name=why_not_billed] .o_kanban_record:contains(No NPI) button[name=action_mend]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=npi] input",
            run: "edit 1888888884",
        },
        {
            trigger: ".modal button[name=action_save]",
            run: "click",
        },
        {
            trigger: "div[name=ready_to_bill]:contains(Nothing keeps)",
        },
    ],
});
