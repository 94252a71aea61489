import { registry } from "@web/core/registry";
import { newStatement, openAppAtReceivables } from "./receivable_steps";

// Data: test_statement_tours.py. Anna owes two visits of 80.00; one can't be billed.
registry.category("web_tour.tours").add("healthcare_billing_statement_tour", {
    url: "/odoo",
    steps: () => [
        ...openAppAtReceivables("healthcare_statement_menu"),
        ...newStatement("Anna Adams", 2),
        {
            trigger: ".o_field_widget[name=amount_total]:contains(160.00)",
        },
        {
            content: "Commit",
            trigger: "button[name=action_commit]",
            run: "click",
        },
        {
            content: "What can't be billed is left out, and told",
            trigger: ".alert .o_field_widget[name=exclusion_count]:contains(1)",
            timeout: 40000,
        },
        {
            trigger: ".o_field_widget[name=amount_total]:contains(80.00)",
        },
        {
            trigger: ".nav-link[name=left_out]",
            run: "click",
        },
        {
            content: "The reason",
            trigger: ".o_field_widget[name=exclusion_ids] .o_data_row:contains(Rejected)",
        },
        {
            content: "Its items may be taken off",
            trigger: ".nav-link[name=items]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=line_ids] button[name=action_detach]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=line_ids]:not(:has(.o_data_row))",
            timeout: 30000,
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_statement_express_tour", {
    url: "/odoo",
    steps: () => [
        ...openAppAtReceivables("healthcare_statement_express_menu"),
        {
            content: "Search",
            trigger: ".modal button[name=action_search]",
            run: "click",
        },
        {
            content: "A row per addressee",
            trigger: ".o_data_row:contains(Ben Brown)",
        },
        {
            trigger: "button[name=action_execute]",
            run: "click",
        },
        {
            content: "Yes",
            trigger: ".modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "The result",
            trigger: ".o_healthcare_results .o_field_widget[name=created_count]:contains(2)",
            timeout: 40000,
        },
        {
            trigger: ".o_statusbar_buttons button[name=action_view_statements]",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(Ben Brown):contains(Committed)",
        },
    ],
});
