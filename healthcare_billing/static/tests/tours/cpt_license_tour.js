import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// Data: test_cpt_tours.py. A vendor and a fee of 20.00 are set; Pat and Nina have no license.

const choose = (name) => [
    {
        content: `Look for ${name}`,
        trigger: ".modal .o_field_widget[name=employee_ids] input",
        run: `edit ${name}`,
    },
    {
        content: `Choose ${name}`,
        trigger: `.o-autocomplete--dropdown-item:contains(${name})`,
        run: "click",
    },
    {
        trigger: `.modal .o_field_widget[name=employee_ids] .o_tag:contains(${name})`,
    },
];

const payBill = [
    {
        content: "Confirm the bill",
        trigger: ".o_statusbar_buttons button[name=action_post]:contains(Confirm)",
        run: "click",
    },
    {
        content: "Pay it",
        trigger: ".o_statusbar_buttons button:contains(Pay)",
        run: "click",
    },
    {
        trigger: ".modal button[name=action_create_payments]",
        run: "click",
    },
    {
        content: "It is paid",
        trigger: ".o_widget_web_ribbon:contains(/Paid|In Payment/i), .ribbon:contains(/Paid|In Payment/i)",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_cpt_license_tour", {
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            trigger: '.o_app[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_root"]',
            run: "click",
        },
        {
            trigger:
                'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_configuration"]',
            run: "click",
        },
        {
            trigger: 'a[data-menu-xmlid="healthcare_billing.healthcare_cpt_license_menu"]',
            run: "click",
        },
        {
            content: "Assign",
            trigger: ".o_control_panel button:contains(Assign CPT License)",
            run: "click",
        },
        ...choose("Pat Provider"),
        ...choose("Nina Newcomer"),
        {
            content: "Two licenses",
            trigger: ".modal .o_field_widget[name=assign_count]:contains(2)",
        },
        {
            trigger: ".modal .o_field_widget[name=amount]:contains(40.00)",
        },
        {
            trigger: ".modal button[name=action_assign]",
            run: "click",
        },
        {
            content: "Both are to pay",
            trigger: ".o_data_row:contains(Pat Provider) .badge:contains(To Pay)",
        },
        {
            trigger: ".o_data_row:contains(Nina Newcomer) .badge:contains(To Pay)",
        },
        {
            content: "Select all",
            trigger: "thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "One bill for both",
            trigger: ".o_control_panel button:contains(Create Vendor Bill)",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=invoice_line_ids] .o_data_row:contains(Nina Newcomer)",
        },
        {
            trigger: ".o_field_widget[name=invoice_line_ids] .o_data_row:contains(Pat Provider)",
        },
        ...payBill,
        {
            content: "Back to the licenses",
            trigger: "button[name=action_view_cpt_licenses]",
            run: "click",
        },
        {
            content: "They are paid",
            trigger: ".o_data_row:contains(Pat Provider) .badge:contains(Paid)",
        },
        {
            trigger: ".o_data_row:contains(Nina Newcomer) .badge:contains(Paid)",
        },
        {
            content: "The yearly report",
            trigger:
                'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_reporting"]',
            run: "click",
        },
        {
            trigger: 'a[data-menu-xmlid="healthcare_billing.healthcare_cpt_user_menu"]',
            run: "click",
        },
        {
            content: "A year counts all of its users",
            trigger: ".o_group_header:contains((2))",
        },
        {
            trigger: ".o_data_row:contains(Nina Newcomer) .badge:contains(Paid)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_cpt_mend_tour", {
    steps: () => [
        {
            content: "The draft says what it lacks",
            trigger: ".o_form_view .alert:contains(Pat Provider)",
        },
        {
            content: "and how to mend it",
            trigger: ".o_form_view .alert a:contains(Assign or pay), .o_form_view .alert button:contains(Assign or pay)",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_statusbar_buttons button[name=action_mark_paid]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains(Paid)",
        },
        {
            content: "Back to the invoice",
            trigger: ".o_back_button a",
            run: "click",
        },
        {
            content: "Nothing is missing",
            trigger: ".o_form_view:not(:has(.alert:contains(Pat Provider))) button[name=action_post]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current:contains(Posted)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_cpt_license_phone_tour", {
    steps: () => [
        {
            content: "Assign",
            trigger: ".o_control_panel button:contains(Assign CPT License):visible",
            run: "click",
        },
        {
            content: "On the phone, choosing opens cards",
            trigger: ".modal .o_field_widget[name=employee_ids] input",
            run: "click",
        },
        {
            trigger: ".o_select_create_dialog_content .o_kanban_record:contains(Nina Newcomer)",
        },
        {
            trigger: ".o_select_create_dialog_content .o_kanban_record:contains(Pat Provider)",
            run: "click",
        },
        {
            trigger:
                "body:not(:has(.o_select_create_dialog_content)) .modal .o_field_widget[name=employee_ids] .o_tag",
        },
        {
            content: "One license, and what it costs",
            trigger: ".modal .o_field_widget[name=assign_count]:contains(1)",
        },
        {
            trigger: ".modal .o_field_widget[name=amount]:contains(20.00)",
        },
        {
            trigger: ".modal button[name=action_assign]:visible",
            run: "click",
        },
        {
            content: "Open the license",
            trigger:
                "body:not(:has(.modal)) .o_kanban_record:contains(Pat Provider):contains(To Pay)",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_create_bill]",
            run: "click",
        },
        ...payBill,
    ],
});
