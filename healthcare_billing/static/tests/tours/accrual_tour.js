import { registry } from "@web/core/registry";

// Data: test_accrual_tours.py. 80.00 ready, 80.00 parked, 80.00 rejected.
const book = [
    {
        content: "Compute",
        trigger: "button[name=action_compute]:contains(Compute)",
        run: "click",
    },
    {
        content: "What is to be billed yet",
        trigger: ".o_field_widget[name=accruable]:contains(160.00)",
    },
];
const confirm = [
    {
        content: "The sum per account, and what is left out",
        trigger: ".modal .o_field_widget[name=amount]:contains(160.00)",
    },
    {
        trigger: ".modal .o_field_widget[name=never_amount]:contains(80.00)",
    },
    {
        content: "Book it",
        trigger: ".modal button[name=action_book]",
        run: "click",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_accrual_tour", {
    steps: () => [
        ...book,
        {
            trigger: ".o_statusbar_buttons button[name=action_accrue]",
            run: "click",
        },
        ...confirm,
        {
            content: "Entry and reversal",
            trigger: ".o_list_view .o_data_row:contains(Reversal of accrued revenue)",
        },
        {
            content: "Back to the report",
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item:not(.active) a",
            run: "click",
        },
        {
            content: "It tells what was accrued, and can't be booked twice",
            trigger: ".o_field_widget[name=accrued]:contains(160.00)",
        },
        {
            trigger: ".o_form_statusbar:not(:has(button[name=action_accrue]))",
        },
        {
            content: "Undo",
            trigger: "button[name=action_undo_accrual]",
            run: "click",
        },
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: ".o_statusbar_buttons button[name=action_accrue]",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_accrual_phone_tour", {
    steps: () => [
        ...book,
        {
            content: "Buttons are in the menu",
            trigger: ".o_statusbar_buttons .o-dropdown.dropdown-toggle, .o_statusbar_buttons .dropdown-toggle",
            run: "click",
        },
        {
            trigger: "button[name=action_accrue]",
            run: "click",
        },
        ...confirm,
        {
            content: "Entry and reversal",
            trigger: ".o_kanban_record, .o_data_row",
        },
    ],
});
