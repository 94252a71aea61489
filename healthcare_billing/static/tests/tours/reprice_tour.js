import { registry } from "@web/core/registry";

const TABS = ".modal .o_notebook_headers .nav-link";

/** Change the client's own fee, and see what it affects. */
function changeFee() {
    return [
        {
            content: "Billing and Insurance, Service Code: the default service is there",
            trigger: ".o_field_widget[name=care_default_product_id] input:value(Nursing)",
        },
        {
            trigger: ".o_field_widget[name=care_default_fee] input",
            run: "edit 110",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "Saving opens the dialog, with everything ticked that the old fee made",
            trigger: ".modal:contains(Only what is ticked is changed)",
        },
        {
            trigger: ".modal .o_field_widget[name=selected_count]:contains(3)",
        },
    ];
}

/** What is ticked in the end is repriced. */
function applyTicked() {
    return [
        {
            content: "Without one of them",
            trigger: ".modal .o_field_widget[name=selected_count]:contains(2)",
        },
        {
            trigger: ".modal .o_field_widget[name=selected_difference]:contains(40.00)",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            content: "The result, and what is left",
            trigger: ".modal .alert:contains(Repriced: 2)",
        },
        {
            trigger: ".modal .o_field_widget[name=selected_count]:contains(0)",
        },
    ];
}

/** The invoiced session: credit & rebill with the new fee filled in. */
function rebillInvoiced() {
    return [
        {
            content: "What is invoiced is listed apart",
            trigger: `${TABS}:contains(Already Invoiced)`,
            run: "click",
        },
        {
            trigger: ".modal button[name=action_credit_and_rebill]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=amount_after]:contains(110.00)",
        },
        {
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit The fee was wrong",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            content: "The new invoice",
            trigger: ".o_form_view .o_field_widget[name=rebill_of_id]",
            timeout: 60000,
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_reprice_tour", {
    steps: () => [
        ...changeFee(),
        {
            trigger: ".modal .o_data_row:first .o_field_widget[name=selected] input",
            run: "click",
        },
        ...applyTicked(),
        ...rebillInvoiced(),
        {
            trigger: ".o_field_widget[name=state] .o_arrow_button_current:contains(Posted)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_reprice_phone_tour", {
    steps: () => [
        ...changeFee(),
        {
            trigger: ".modal .o_kanban_record:first .o_field_widget[name=selected] input",
            run: "click",
        },
        ...applyTicked(),
        ...rebillInvoiced(),
    ],
});

/** Move 15.00 from the payer to the client. */
function transfer(open) {
    return [
        ...open,
        {
            trigger: ".modal .o_data_row td[name=amount_owed]:contains(60.00)",
        },
        {
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Deductible",
        },
        {
            trigger: ".modal .o_data_row td[name=amount]",
            run: "click",
        },
        {
            trigger: ".modal .o_data_row .o_field_widget[name=amount] input",
            run: "edit 15",
        },
        {
            trigger: ".modal .modal-title",
            run: "click",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            content: "Credit note and invoice",
            trigger: "body:not(:has(.modal))",
        },
        {
            trigger: ".o_content:contains(15.00)",
        },
    ];
}

const TRANSFER_BUTTON = {
    trigger: "button[name=action_transfer_responsibility]",
    run: "click",
};

registry.category("web_tour.tours").add("healthcare_billing_transfer_tour", {
    steps: () =>
        transfer([
            {
                content: "The other party's invoice is one click away",
                trigger: "button[name=action_view_other_party_moves]:contains(1)",
            },
            TRANSFER_BUTTON,
        ]),
});

registry.category("web_tour.tours").add("healthcare_billing_transfer_phone_tour", {
    steps: () =>
        transfer([
            {
                trigger: ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons .o-dropdown",
                run: "click",
            },
            { ...TRANSFER_BUTTON, trigger: `.o-dropdown--menu ${TRANSFER_BUTTON.trigger}` },
        ]),
});
