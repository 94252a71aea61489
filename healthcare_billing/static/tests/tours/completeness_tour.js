import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// Data: test_completeness_tours.py. 80.00 each: posted with 70.00 by hand, ready, and parked.
const compute = [
    {
        content: "Compute",
        trigger: "button[name=action_compute]:contains(Compute)",
        run: "click",
    },
    {
        content: "The figures are there",
        trigger: ".o_healthcare_equation .o_field_widget[name=delivered]:contains(240.00)",
    },
    {
        trigger: ".o_healthcare_equation .o_field_widget[name=blocked]:contains(80.00)",
    },
    {
        content: "An invoice was changed by hand: told in red, with the sum",
        trigger: ".alert-danger .o_field_widget[name=difference]:contains(10.00)",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_completeness_tour", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "Open the app",
            trigger: '.o_app[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_root"]',
            run: "click",
        },
        {
            content: "Open the reports",
            trigger: '[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_reporting"]',
            run: "click",
        },
        {
            content: "Ask for completeness",
            trigger: '[data-menu-xmlid="healthcare_billing.healthcare_completeness_menu"]',
            run: "click",
        },
        ...compute,
        {
            content: "See the lines behind the difference",
            trigger: ".alert-danger button[name=action_view_difference]",
            run: "click",
        },
        {
            content: "The line, what the books say, and why",
            trigger:
                ".o_list_view .o_data_row:contains(Alice Adams):contains(70.00):contains(Invoice Changed by Hand)",
        },
        {
            content: "Back",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item:not(.active) a",
            run: "click",
        },
        {
            content: "See what is parked",
            trigger: ".o_data_row:contains(Parked) button[name=action_view_rows]",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(Cora Clark)",
        },
        {
            content: "Back",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item:not(.active) a",
            run: "click",
        },
        {
            content: "All care, as a pivot",
            trigger: ".o_statusbar_buttons button[name=action_view_rows]",
            run: "click",
        },
        {
            trigger: ".o_pivot_view .o_pivot td:contains(240.00)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_completeness_phone_tour", {
    url: "/odoo/care-completeness",
    steps: () => [
        ...compute,
        {
            content: "What is blocked",
            trigger: ".o_healthcare_equation button:contains(Blocked)",
            run: "click",
        },
        {
            content: "Its item",
            trigger: ".o_kanban_record:contains(Cora Clark):contains(Parked)",
        },
    ],
});
