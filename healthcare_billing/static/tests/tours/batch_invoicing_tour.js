import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// Data: test_tours.py. Alice owes one visit of 80.00, Bob two; Cora's service has no code.
registry.category("web_tour.tours").add("healthcare_billing_batch_invoicing_tour", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "Open the app",
            trigger: '.o_app[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_root"]',
            run: "click",
        },
        {
            content: "Open the billing menu",
            trigger:
                'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_billing"]',
            run: "click",
        },
        {
            content: "Ask for batch invoicing",
            trigger:
                'a[data-menu-xmlid="healthcare_billing.healthcare_batch_invoicing_menu"]',
            run: "click",
        },
        {
            content: "The criteria begin with the current month",
            trigger: ".modal .o_field_widget[name=date_from]:not(:empty)",
        },
        {
            content: "Search",
            trigger: ".modal button[name=action_search]",
            run: "click",
        },
        {
            content: "All is selected",
            trigger: ".o_healthcare_totals .o_field_widget[name=selected_charge_count]:contains(3)",
        },
        {
            trigger: ".o_healthcare_totals .o_field_widget[name=amount_selected]:contains(240.00)",
        },
        {
            content: "Deselect Bob, by a click on the box alone",
            trigger: ".o_data_row:contains(Bob Brown) td[name=selected]",
            run: "click",
        },
        {
            content: "The totals follow at once",
            trigger: ".o_healthcare_totals .o_field_widget[name=selected_charge_count]:contains(1)",
        },
        {
            trigger: ".o_healthcare_totals .o_field_widget[name=amount_selected]:contains(80.00)",
        },
        {
            content: "The total of all rows stays",
            trigger: ".o_healthcare_totals .o_field_widget[name=amount_total]:contains(240.00)",
        },
        {
            content: "See what is left out",
            trigger: ".o_notebook .nav-link[name=left_out]",
            run: "click",
        },
        {
            content: "What is left out: the reason, its sum and a button",
            trigger:
                ".o_data_row:contains(No service code):contains(25.00) button[name=action_mend]",
        },
        {
            trigger: ".o_notebook .nav-link[name=invoices]",
            run: "click",
        },
        {
            content: "Create",
            trigger: ".o_statusbar_buttons button:contains(Create Selected Invoices)",
            run: "click",
        },
        {
            content: "The question names count",
            trigger: ".modal .o_field_widget[name=invoice_count]:contains(1)",
        },
        {
            content: "and sum of what is selected",
            trigger: ".modal .o_field_widget[name=amount]:contains(80.00)",
        },
        {
            content: "Yes",
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            content: "The row tells its result",
            trigger: ".o_data_row:contains(Alice Adams) .badge:contains(Created)",
        },
        {
            content: "Bob was not selected",
            trigger: ".o_data_row:contains(Bob Brown):not(:has(.badge))",
        },
        {
            content: "Open the invoice",
            trigger: ".o_data_row:contains(Alice Adams) button[name=action_view_move]",
            run: "click",
        },
        {
            content: "A section per appointment",
            trigger: ".o_field_widget[name=invoice_line_ids] .o_is_line_section:contains(Pat Provider)",
        },
        {
            content: "Post",
            trigger: ".o_statusbar_buttons button[name=action_post]:contains(Confirm)",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Posted)",
        },
    ],
});
