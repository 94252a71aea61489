import { registry } from "@web/core/registry";

// Data: test_superbill_tours.py. Anna has two visits last month, no birth date, and one of the
// visits has no diagnosis.
const issueAndPrint = [
    {
        content: "Everything is there now",
        trigger: "div[name=ready]:contains(Nothing is missing)",
    },
    {
        trigger: ".o_statusbar_buttons button[name=action_issue]",
        run: "click",
    },
    {
        content: "It has its number, and can be printed",
        trigger: ".o_healthcare_superbill .o_field_widget[name=name]:contains(SB)",
    },
    {
        trigger: ".o_statusbar_buttons button[name=action_print]",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_superbill_tour", {
    steps: () => [
        {
            content: "From the client",
            trigger: "button[name=action_superbill]:contains(New Superbill)",
            run: "click",
        },
        {
            content: "Last month's dates are there already",
            trigger: ".modal button[name=action_preview]",
            run: "click",
        },
        {
            content: "What is missing is told before a number is given",
            trigger: ".o_field_widget[name=document_ids] .o_data_row:contains(Something Missing)",
        },
        {
            trigger: "div[name=fill] button[name=action_take_diagnoses]",
            run: "click",
        },
        {
            trigger:
                ".o_field_widget[name=problem_ids]:not(:contains(No diagnosis)) .o_data_row:contains(no birth date) button:contains(Fix)",
            run: "click",
        },
        {
            content: "The button opens the record that mends it",
            trigger: ".modal .o_field_widget[name=legal_name] input",
            run: "edit Annabel Adams",
        },
        {
            trigger: ".modal .o_field_widget[name=birth_date] button, .modal .o_field_widget[name=birth_date] input",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=birth_date] input",
            run: "edit 05/17/1980",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        ...issueAndPrint,
        {
            trigger: ".o_field_widget[name=line_ids] .o_data_row:contains(T1001)",
        },
        {
            content: "Void it, with the reason",
            trigger: ".o_statusbar_buttons button:contains(Void)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Wrong dates",
        },
        {
            trigger: ".modal button[name=action_void]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=void_reason]:contains(Wrong dates)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_superbill_phone_tour", {
    steps: () => [
        {
            content: "From the finished visit: the phone keeps all but the first button in a menu",
            trigger: ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons_dropdown_button, .o_statusbar_buttons button.o-dropdown",
            run: "click",
        },
        {
            trigger: "button[name=action_superbill]",
            run: "click",
        },
        {
            content: "What is missing is a card with its button",
            trigger: ".o_field_widget[name=problem_ids] .o_kanban_record:contains(No diagnosis)",
        },
        {
            trigger: "div[name=fill] button[name=action_take_diagnoses]",
            run: "click",
        },
        ...issueAndPrint,
        {
            content: "Services are cards",
            trigger: ".o_field_widget[name=line_ids] .o_kanban_record:contains(T1001)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_superbill_portal_tour", {
    steps: () => [
        {
            content: "The client's portal",
            trigger: "a[href='/my/superbills']:contains(Your Superbills)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "table a:contains(SB)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Print",
            trigger: "a[href$='/pdf']:contains(Print)",
        },
        {
            trigger: "a[href$='/pdf?download=1']:contains(Download)",
        },
    ],
});
