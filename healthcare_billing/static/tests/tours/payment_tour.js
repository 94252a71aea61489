import { registry } from "@web/core/registry";

// Data: test_payment_tours.py. A visit of today, 80.00, that nobody invoiced.
const RECEIVE_BUTTON = {
    trigger: "button[name=action_receive_payment]",
    run: "click",
};

/** In the dialog: another amount, shared among the items; then book it. */
function receive(amount) {
    return [
        {
            content: "All of it is filled in",
            trigger: ".modal .o_field_widget[name=amount]:first input:value(80.00)",
        },
        {
            trigger: ".modal .o_field_widget[name=amount]:first input",
            run: `edit ${amount}`,
        },
        {
            trigger: ".modal .o_field_widget[name=memo] input",
            run: "edit Cash at the desk",
        },
        {
            content: "Shared at once",
            trigger: `.modal .o_field_widget[name=shared]:contains(${amount}.00)`,
        },
        {
            trigger: ".modal button[name=action_receive]",
            run: "click",
        },
        {
            trigger: `.o_notification:contains(${amount}.00 received)`,
        },
        { trigger: "body:not(:has(.modal))" },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_payment_tour", {
    steps: () => [RECEIVE_BUTTON, ...receive(30)],
});

registry.category("web_tour.tours").add("healthcare_billing_payment_phone_tour", {
    steps: () => [
        {
            trigger: ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons .o-dropdown",
            run: "click",
        },
        { ...RECEIVE_BUTTON, trigger: `.o-dropdown--menu ${RECEIVE_BUTTON.trigger}` },
        ...receive(30),
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_payer_check_tour", {
    steps: () => [
        {
            trigger: ".o_field_widget[name=partner_id] input",
            run: "edit Test Insurance",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Test Insurance)",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=amount] input",
            run: "edit 100",
        },
        {
            content: "Two clients' parts",
            trigger: "button[name=action_load]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=line_ids] .o_data_row:nth-child(2)",
        },
        {
            trigger: "button[name=action_share]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=shared]:contains(100.00)",
        },
        {
            trigger: "button[name=action_receive]",
            run: "click",
        },
        {
            content: "The payment, and what of it is for whom",
            trigger: ".o_field_widget[name=care_line_ids] .o_data_row:contains(40.00)",
        },
        {
            content: "It is canceled, never edited",
            trigger: "button[name=action_cancel_for_care]",
            run: "click",
        },
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Canceled)",
        },
    ],
});
