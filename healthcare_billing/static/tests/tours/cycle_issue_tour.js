import { registry } from "@web/core/registry";

// Data: test_cycle_issue_tours.py. Alice's visit has no service, Bob's is parked, Cora's service no code.

registry.category("web_tour.tours").add("healthcare_billing_cycle_issue_tour", {
    steps: () => [
        {
            content: "Counts per reason",
            trigger: ".o_healthcare_left_out .o_data_row:contains(Parked)",
        },
        {
            content: "See what has no service",
            trigger:
                ".o_healthcare_left_out .o_data_row:contains(Choose the service on the visit) button[name=action_view_items]",
            run: "click",
        },
        {
            content: "Fill it in right here",
            trigger: ".o_list_view .o_data_row:contains(Alice Adams) td[name=product_id]",
            run: "click",
        },
        {
            trigger: ".o_selected_row td[name=product_id] input",
            run: "edit Nursing",
        },
        {
            trigger: ".o-autocomplete--dropdown-menu a:contains(Nursing)",
            run: "click",
        },
        {
            content: "Save the row",
            trigger: ".o_list_button_save",
            run: "click",
        },
        {
            content: "It was mended: the row is gone",
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Alice Adams))) .o_view_nocontent",
        },
        {
            content: "Back to the counts",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item:not(.active) a",
            run: "click",
        },
        {
            content: "Check again",
            trigger: "button[name=action_check]:contains(Check Again)",
            run: "click",
        },
        {
            trigger: ".o_healthcare_left_out:not(:has(.o_data_row:contains(Choose the service on the visit)))",
        },
        {
            content: "All that is left",
            trigger: "button[name=action_view_all]",
            run: "click",
        },
        {
            content: "Unpark by the button of the reason",
            trigger: ".o_list_view .o_data_row:contains(Bob Brown) button[name=action_mend]",
            run: "click",
        },
        {
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Bob Brown)))",
        },
        {
            content: "The code is mended on the service",
            trigger: ".o_list_view .o_data_row:contains(Cora Clark) button[name=action_mend]",
            run: "click",
        },
        {
            trigger: ".modal .o_form_view .o_field_widget[name=default_code] input",
            run: "edit X-1 && press Tab",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            content: "Nothing is left",
            trigger: "body:not(:has(.modal)) .o_list_view .o_view_nocontent",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_cycle_issue_phone_tour", {
    steps: () => [
        {
            content: "Counts per reason",
            trigger: ".o_healthcare_left_out .o_kanban_record:contains(Parked)",
        },
        {
            content: "All issues",
            trigger:
                ".o_healthcare_left_out .o_kanban_record:contains(Parked) button[name=action_view_items]",
            run: "click",
        },
        {
            content: "Unpark",
            trigger: ".o_kanban_record:contains(Bob Brown) button[name=action_mend]",
            run: "click",
        },
        {
            trigger: ".o_kanban_view:not(:has(.o_kanban_record:contains(Bob Brown))) .o_view_nocontent",
        },
    ],
});
