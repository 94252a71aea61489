import { registry } from "@web/core/registry";

// A dialog that follows another one is there before the other is gone: each is told by what it says.
const PREVIEW = ".modal:contains(Only what is ticked is changed)";
const DONE = ".modal:has(.alert:contains(Repriced: 2))";
const REBILL = ".modal:has(.modal-title:contains(Credit & Rebill))";
// What the server has to do first takes as long as it takes.
const PATIENCE = 60000;

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
            trigger: PREVIEW,
            timeout: PATIENCE,
        },
        {
            trigger: `${PREVIEW} .o_field_widget[name=selected_count]:contains(3)`,
        },
    ];
}

/** Take the tick off the first charge; what is ticked in the end is repriced. */
function applyTicked(row) {
    const tick = `${PREVIEW} ${row}:first .o_field_widget[name=selected] input`;
    return [
        {
            trigger: `${tick}:checked`,
            run: "click",
        },
        {
            trigger: `${tick}:not(:checked)`,
        },
        {
            content: "Without one of them",
            trigger: `${PREVIEW} .o_field_widget[name=selected_count]:contains(2)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${PREVIEW} .o_field_widget[name=selected_difference]:contains(40.00)`,
        },
        {
            trigger: `${PREVIEW} button[name=action_apply]`,
            run: "click",
        },
        {
            content: "The result, and what is left",
            trigger: DONE,
            timeout: PATIENCE,
        },
        {
            trigger: `${DONE} .o_field_widget[name=selected_count]:contains(0)`,
        },
    ];
}

/** The invoiced session: credit & rebill with the new fee filled in. */
function rebillInvoiced() {
    return [
        {
            content: "What is invoiced is listed apart",
            trigger: `${DONE} .o_notebook_headers .nav-link:contains(Already Invoiced)`,
            run: "click",
        },
        {
            trigger: `${DONE} button[name=action_credit_and_rebill]`,
            run: "click",
        },
        {
            trigger: `${REBILL} .o_field_widget[name=amount_after]:contains(110.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${REBILL} .o_field_widget[name=reason] input`,
            run: "edit The fee was wrong",
        },
        {
            trigger: `${REBILL} button[name=action_confirm]`,
            run: "click",
        },
        {
            content: "The new invoice",
            trigger: "body:not(:has(.modal)) .o_form_view .o_field_widget[name=rebill_of_id]",
            timeout: PATIENCE,
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_reprice_tour", {
    steps: () => [
        ...changeFee(),
        ...applyTicked(".o_data_row"),
        ...rebillInvoiced(),
        {
            trigger: ".o_field_widget[name=state] .o_arrow_button_current:contains(Posted)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_reprice_phone_tour", {
    steps: () => [
        ...changeFee(),
        ...applyTicked(".o_kanban_record"),
        ...rebillInvoiced(),
    ],
});

/** Move 15.00 from the payer to the client. */
function transfer(open) {
    return [
        ...open,
        {
            trigger: ".modal .o_data_row td[name=amount_owed]:contains(60.00)",
            timeout: PATIENCE,
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
            trigger: "body:not(:has(.modal)) .o_content:contains(15.00)",
            timeout: PATIENCE,
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
