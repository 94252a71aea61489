import { registry } from "@web/core/registry";

const TOTALS = ".o_healthcare_totals .o_field_widget";

function typeAndPick(field, text) {
    return [
        {
            trigger: `.modal .o_field_widget[name=${field}] input`,
            run: `edit ${text}`,
        },
        {
            trigger: `.ui-autocomplete > li > a:contains(${text})`,
            run: "click",
        },
        {
            trigger: `.modal .o_field_widget[name=${field}] .o_tag:contains(${text})`,
        },
    ];
}

// Data: test_tours.py. 82 clients owe a visit of 80.00 each, Ivy's insurance one more with a co-pay
// of 20.00, Nina's visit is another provider's, Moe didn't come, Cora's service has no code.
registry.category("web_tour.tours").add("healthcare_billing_run_screen_tour", {
    steps: () => [
        {
            content: "The criteria",
            trigger: ".modal .o_field_widget[name=hide_missed] input",
            run: "click",
        },
        ...typeAndPick("employee_ids", "Pat Provider"),
        {
            trigger: ".modal .o_field_widget[name=rows] label:contains(Per appointment)",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_search]",
            run: "click",
        },
        {
            content: "84 rows: neither Nina's nor what Moe missed",
            trigger: `${TOTALS}[name=line_count]:contains(84)`,
        },
        {
            trigger: `${TOTALS}[name=amount_total]:contains(6,640.00)`,
        },
        {
            content: "Deselect the page",
            trigger: ".o_healthcare_select_page input:checked",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=selected_count]:contains(4)`,
        },
        {
            trigger: `${TOTALS}[name=amount_total]:contains(6,640.00)`,
        },
        {
            content: "No row of the page is ticked",
            trigger: ".o_healthcare_rows tbody:not(:has(.o_healthcare_row_box input:checked))",
        },
        {
            content: "Next page",
            trigger: ".o_healthcare_rows .o_pager_next",
            run: "click",
        },
        {
            trigger: ".o_healthcare_rows .o_pager_value:contains(81-84)",
        },
        {
            content: "There, all are ticked; untick one by a click into its cell",
            trigger: ".o_healthcare_rows .o_data_row:contains(Test Insurance) td[name=selected]",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=selected_count]:contains(3)`,
        },
        {
            content: "Still the same page, and the box of the page says partly",
            trigger: ".o_healthcare_rows .o_pager_value:contains(81-84)",
        },
        {
            trigger: ".o_healthcare_select_page input:indeterminate",
        },
        {
            trigger: ".o_healthcare_rows .o_data_row:contains(Test Insurance) td[name=selected] .o_healthcare_row_box",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=selected_count]:contains(4)`,
        },
        {
            content: "Nothing of this has to be saved",
            trigger: ".o_form_view:not(:has(.o_form_button_save:visible))",
        },
        {
            content: "Open Ivy's row",
            trigger:
                ".o_healthcare_rows .o_data_row:not(:contains(Test Insurance)):contains(Ivy Insured) td[name=partner_id]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=amount_now]:contains(20.00)",
        },
        {
            content: "Correct the units",
            trigger: ".modal .o_healthcare_row_charges .o_data_row td[name=quantity]",
            run: "click",
        },
        {
            trigger: ".modal .o_healthcare_row_charges td[name=quantity] input",
            run: "edit 2 && press Tab",
        },
        {
            content: "The sums follow before anything is saved",
            trigger: ".modal .o_field_widget[name=items_amount]:contains(160.00)",
        },
        {
            trigger: ".modal .o_field_widget[name=items_amount_payer]:contains(140.00)",
        },
        {
            content: "Correct the fee",
            trigger: ".modal .o_healthcare_row_charges td[name=price_unit] input",
            run: "edit 100 && press Tab",
        },
        {
            trigger: ".modal .o_field_widget[name=items_amount]:contains(200.00)",
        },
        {
            content: "Correct who owes it: the payer's part follows",
            trigger: ".modal .o_healthcare_row_charges td[name=amount_client] input",
            run: "edit 50 && press Tab",
        },
        {
            trigger: ".modal .o_field_widget[name=amount_now]:contains(50.00)",
        },
        {
            trigger: ".modal .o_field_widget[name=items_amount_payer]:contains(150.00)",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            content: "Back on the same page, with the new sums: also of the payer's row",
            trigger: ".o_healthcare_rows .o_data_row:contains(Test Insurance):contains(150.00)",
        },
        {
            trigger: ".o_healthcare_rows .o_pager_value:contains(81-84)",
        },
        {
            trigger: `${TOTALS}[name=amount_selected]:contains(360.00)`,
        },
        {
            content: "Say something for all invoices",
            trigger: ".o_statusbar_buttons button:contains(Apply to All Invoices)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=claim] label:contains(single claim)",
            run: "click",
        },
        {
            content: "Nothing is said about notes, until one is typed",
            trigger: ".modal .o_field_widget[name=narration_choice] input[data-value=keep]:checked",
        },
        {
            trigger: ".modal .o_field_widget[name=narration] .odoo-editor-editable",
            run: "editor Thank you",
        },
        {
            trigger: ".modal .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=narration_choice] input[data-value=write]:checked",
        },
        {
            trigger: ".modal .o_field_widget[name=line_ids] td[name=name] input",
            run: "edit Copies",
        },
        {
            trigger: ".modal .o_field_widget[name=line_ids] td[name=price_unit] input",
            run: "edit 5",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            content: "The extra line is in all sums",
            trigger: `${TOTALS}[name=amount_selected]:contains(380.00)`,
        },
        {
            content: "What is left out, and why",
            trigger: ".o_notebook .nav-link[name=left_out]",
            run: "click",
        },
        {
            trigger: ".o_healthcare_left_out .o_data_row:contains(No service code) button:contains(Fix)",
            run: "click",
        },
        {
            content: "It opens what mends it",
            trigger: ".modal .o_field_widget[name=default_code] input",
            run: "edit S5001",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            content: "Search again",
            trigger: ".o_statusbar_buttons button[name=action_search_again]",
            run: "click",
        },
        {
            content: "Cora's care is in, and what was deselected still is",
            trigger: `${TOTALS}[name=line_count]:contains(85)`,
        },
        {
            trigger: `${TOTALS}[name=selected_count]:contains(5)`,
        },
        {
            trigger: `${TOTALS}[name=amount_selected]:contains(410.00)`,
        },
        {
            content: "The rows in a list of their own",
            trigger: "button[name=action_view_rows]",
            run: "click",
        },
        {
            trigger: ".o_searchview_input",
            run: "edit Cora",
        },
        {
            trigger: ".o_searchview_autocomplete .o-dropdown-item:contains(Cora)",
            run: "click",
        },
        {
            trigger: ".o_searchview_facet:contains(Cora)",
        },
        {
            trigger: ".o_data_row:contains(Cora Clark) .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_control_panel button[name=action_deselect]",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(Cora Clark) td[name=selected] input:not(:checked)",
        },
        {
            content: "A row opens there, too",
            trigger: ".o_data_row:contains(Cora Clark) td[name=partner_id]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=amount_now]:contains(30.00)",
        },
        {
            trigger: ".modal .o_form_button_cancel",
            run: "click",
        },
        {
            trigger: ".breadcrumb .o_back_button a, .breadcrumb-item.o_back_button a",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=selected_count]:contains(4)`,
        },
        {
            content: "Create",
            trigger: ".o_statusbar_buttons button:contains(Create Selected Invoices)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=invoice_count]:contains(4)",
        },
        {
            trigger: ".modal .o_field_widget[name=amount]:contains(380.00)",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: ".o_healthcare_results .o_field_widget[name=created_count]:contains(4)",
        },
    ],
});

// Data: test_tours.py. Alice owes 80.00; Ivy's insurance 60.00, and she 20.00.
registry.category("web_tour.tours").add("healthcare_billing_run_screen_phone_tour", {
    steps: () => [
        {
            trigger: ".modal button[name=action_search]",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=amount_selected]:contains(160.00)`,
        },
        {
            content: "Deselect the page",
            trigger: ".o_healthcare_select_page input:checked",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=selected_count]:contains(0)`,
        },
        {
            content: "Select two cards, without opening them",
            trigger: ".o_kanban_record:contains(Alice Adams) .o_healthcare_row_box",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(Test Insurance) .o_healthcare_row_box",
            run: "click",
        },
        {
            trigger: `${TOTALS}[name=amount_selected]:contains(140.00)`,
        },
        {
            content: "Tap a card: the invoice to be",
            trigger: ".o_kanban_record:contains(Alice Adams) .o_field_widget[name=amount], .o_kanban_record:contains(Alice Adams) span:contains(80.00)",
            run: "click",
        },
        {
            content: "Tap an item",
            trigger: ".modal .o_healthcare_row_charges .o_kanban_record:contains(80.00)",
            run: "click",
        },
        {
            trigger: ".modal:not(.o_inactive_modal) .o_field_widget[name=quantity] input",
            run: "edit 3 && press Tab",
        },
        {
            trigger: ".modal:not(.o_inactive_modal) .o_field_widget[name=amount]:contains(240.00)",
        },
        {
            trigger: ".modal:not(.o_inactive_modal) .o_form_button_save",
            run: "click",
        },
        {
            content: "The row's sum follows",
            trigger: ".modal .o_field_widget[name=amount_now]:contains(240.00)",
        },
        {
            trigger: ".modal:not(.o_inactive_modal) .o_form_button_save",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            trigger: `${TOTALS}[name=amount_selected]:contains(300.00)`,
        },
        {
            content: "What is left out",
            trigger: ".o_notebook .nav-link[name=left_out]",
            run: "click",
        },
        {
            trigger: ".o_healthcare_left_out .o_kanban_record:contains(No service code) button[name=action_mend]",
        },
        {
            trigger: ".o_statusbar_buttons button:contains(Create Selected Invoices)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=invoice_count]:contains(2)",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: ".o_healthcare_results .o_field_widget[name=created_count]:contains(2)",
        },
    ],
});

// Data: test_tours.py. The background works on a run; the server ends it while we look.
registry.category("web_tour.tours").add("healthcare_billing_run_progress_tour", {
    steps: () => [
        {
            content: "How far it is",
            trigger: ".o_field_healthcare_run_progress .progress",
        },
        {
            trigger: ".o_field_healthcare_run_progress b[name=created_count]:contains(0)",
        },
        {
            content: "Stop",
            trigger: ".o_statusbar_buttons button[name=action_stop]",
            run: "click",
        },
        {
            content: "It says so, and the button is gone",
            trigger: ".o_field_healthcare_run_progress b:contains(Stopping)",
        },
        {
            trigger: ".o_form_statusbar:not(:has(button[name=action_stop]))",
        },
    ],
});
