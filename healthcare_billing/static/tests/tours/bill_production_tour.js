import { registry } from "@web/core/registry";

const openProduction = [
    {
        content: "On to bill production",
        trigger: 'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_billing"]',
        run: "click",
    },
    {
        trigger: 'a[data-menu-xmlid="healthcare_billing.account_move_menu_bill_production"]',
        run: "click",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_bill_production_tour", {
    steps: () => [
        {
            content: "Number and sum of all drafts",
            trigger: ".o_healthcare_bill_totals:contains(3 bills):contains(330.00)",
        },
        { trigger: "button[name=action_preview_draft_bills]", run: "click" },
        {
            content: "Too many for one PDF: each part is downloaded on its own",
            trigger: ".modal .o_data_row:contains(Documents 1 to 2) button[name=action_download]",
        },
        { trigger: ".modal .o_data_row:contains(Documents 3 to 3)" },
        { trigger: ".modal-footer button[special=cancel]:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            trigger: ".o_data_row:contains(Anna) .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(Ben) .o_list_record_selector input",
            run: "click",
        },
        { trigger: ".o_selection_box:contains(2)" },
        { trigger: "button[name=action_approve_bills]", run: "click" },
        {
            content: "What it means is told before",
            trigger: ".modal [name=bill_count]:contains(2)",
        },
        {
            trigger: ".modal .o_data_row:contains(move to Bill Production)",
        },
        { trigger: ".modal-footer button[name=action_confirm]:visible", run: "click" },
        {
            content: "Cora's is of a future day: nothing was selected of it",
            trigger: ".o_healthcare_bill_totals:contains(1 bill)",
        },
        { trigger: "button[name=action_approve_bills]", run: "click" },
        {
            content: "Nothing selected: all, and what can't be done says why",
            trigger: ".modal .o_data_row:contains(in the future)",
        },
        { trigger: ".modal-footer button[special=cancel]:visible", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        ...openProduction,
        {
            content: "A failed e-mail with its reason",
            trigger: ".o_data_row:contains(Dora) td[name=delivery_message]:contains(mailbox is full)",
        },
        {
            trigger: ".o_healthcare_bill_totals:contains(3 bills):contains(billing account's)",
        },
        {
            content: "Options of two bills at once",
            trigger: ".o_data_row:contains(Anna) .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_data_row:contains(Ben) .o_list_record_selector input",
            run: "click",
        },
        { trigger: ".o_selection_box:contains(2)" },
        { trigger: ".o_data_row:contains(Anna) td[name=delivery_email]", run: "click" },
        {
            trigger: ".o_data_row:contains(Anna) td[name=delivery_email] input",
            run: "edit desk@example.com",
        },
        {
            content: "Leave the cell",
            trigger: ".o_healthcare_bill_totals",
            run: "click",
        },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        {
            trigger: ".o_data_row:contains(Anna) td[name=delivery_email]:contains(desk@example.com)",
        },
        {
            trigger: ".o_data_row:contains(Ben) td[name=delivery_email]:contains(desk@example.com)",
        },
        { trigger: "button[name=action_produce_bills]", run: "click" },
        { trigger: ".modal .o_data_row:contains(e-mailed):contains(2)" },
        { trigger: ".modal-footer button[name=action_confirm]:visible", run: "click" },
        {
            content: "What is to print waits in the dialog until somebody has it",
            trigger: ".modal .o_data_row:contains(Documents 1 to 1) button[name=action_download]",
        },
        { trigger: ".modal-footer button[special=cancel]:visible:contains(Close)", run: "click" },
        { trigger: "body:not(:has(.modal))" },
        {
            content: "They stay until they are out",
            trigger: ".o_data_row:contains(Ben) td[name=delivery_state]:contains(Queued)",
        },
        {
            content: "The failed one becomes a draft again",
            trigger: ".o_data_row:contains(Dora) .o_list_record_selector input",
            run: "click",
        },
        { trigger: ".o_selection_box:contains(1)" },
        { trigger: "button[name=action_revert_bills]", run: "click" },
        { trigger: ".modal .o_data_row:contains(nobody got them)" },
        { trigger: ".modal-footer button[name=action_confirm]:visible", run: "click" },
        {
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Dora))) .o_data_row:contains(Anna)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_bill_production_phone_tour", {
    steps: () => [
        { trigger: ".o_healthcare_bill_totals:contains(3 bills)" },
        {
            content: "The reason stands on the card",
            trigger: ".o_kanban_record:contains(Dora):contains(mailbox is full)",
        },
        { trigger: ".o_kanban_record:contains(Anna)", run: "click" },
        {
            content: "Options are edited on the bill",
            trigger: ".o_form_view .o_field_widget[name=delivery_email] input",
            run: "edit desk@example.com",
        },
        { trigger: ".o_form_button_save", run: "click" },
        { trigger: ".o_form_saved" },
        { trigger: ".o_back_button", run: "click" },
        {
            trigger: ".o_kanban_record:contains(Anna):contains(desk@example.com)",
        },
        {
            content: "Nothing is selected: all of them",
            trigger: "button[name=action_produce_bills]",
            run: "click",
        },
        { trigger: ".modal .o_kanban_record:contains(e-mailed)" },
        { trigger: ".modal-footer button[name=action_confirm]:visible", run: "click" },
        {
            content: "Ben's wanted nothing: it left the list",
            trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains(Ben))) .o_kanban_record:contains(Anna):contains(Queued)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_draft_bills_phone_tour", {
    steps: () => [
        { trigger: ".o_kanban_record:contains(Anna)" },
        {
            content: "Nothing is selected: all of them",
            trigger: "button[name=action_approve_bills]",
            run: "click",
        },
        { trigger: ".modal .o_kanban_record:contains(move to Bill Production)" },
        { trigger: ".modal .o_kanban_record:contains(in the future)" },
        { trigger: ".modal-footer button[name=action_confirm]:visible", run: "click" },
        {
            content: "What stays says why",
            trigger: ".modal .o_kanban_record:contains(Stay drafts)",
        },
        { trigger: ".modal-footer button[special=cancel]:visible", run: "click" },
        {
            trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains(Anna))) .o_kanban_record:contains(Cora)",
        },
    ],
});
