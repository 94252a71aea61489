import { registry } from "@web/core/registry";

// What the server has to do first takes as long as it takes.
const PATIENCE = 60000;
const DECISION = ".modal:has(.modal-title:contains(Adjudicate))";
const EXTRA = ".modal:has(.modal-title:contains(Add Charges and Discounts))";

/** A button of the charge's form; on a phone the buttons are in a menu. */
function press(name, isPhone) {
    const button = `button[name=${name}]`;
    if (!isPhone) {
        return [{ trigger: `.o_form_statusbar ${button}`, run: "click" }];
    }
    return [
        {
            trigger: ".o_statusbar_buttons .dropdown-toggle, .o_statusbar_buttons .o-dropdown",
            run: "click",
        },
        { trigger: `.o-dropdown--menu ${button}`, run: "click" },
    ];
}

/** Add 7.00 as finance charge, see what a payer's decision does, record it, take it back. */
function correct(isPhone) {
    return [
        ...press("action_add_extra", isPhone),
        {
            content: "What is typed is shown on the items before it is booked",
            trigger: `${EXTRA} .o_field_widget[name=amount] input`,
            run: "edit 7",
            timeout: PATIENCE,
        },
        {
            trigger: `${EXTRA} .o_field_widget[name=description] input`,
            run: "edit Late since March",
        },
        {
            trigger: `${EXTRA} .o_data_row .o_data_cell[name=balance_then]:contains(87.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${EXTRA} button[name=action_confirm]`,
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_field_widget[name=amount_residual]:contains(87.00)",
            timeout: PATIENCE,
        },
        ...press("action_adjudicate", isPhone),
        {
            trigger: `${DECISION} .o_data_row .o_data_cell[name=allowed]`,
            run: "click",
            timeout: PATIENCE,
        },
        {
            trigger: `${DECISION} .o_data_row .o_field_widget[name=allowed] input`,
            run: "edit 30",
        },
        {
            trigger: `${DECISION} .o_data_row .o_field_widget[name=sequestration] input`,
            run: "edit 1",
        },
        {
            content: "30.00 allowed, 1.00 sequestered, 7.00 finance charge",
            trigger: `${DECISION} .o_data_row [name=balance_then]:contains(36.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${DECISION} button[name=action_confirm]`,
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_field_widget[name=amount_residual]:contains(36.00)",
            timeout: PATIENCE,
        },
        {
            content: "The corrections are listed, posted",
            trigger: ".o_field_widget[name=child_ids] .o_data_row:contains(Adjustment)",
        },
        ...press("action_unadjudicate", isPhone),
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_field_widget[name=amount_residual]:contains(87.00)",
            timeout: PATIENCE,
        },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_charge_correction_tour", {
    steps: () => correct(false),
});

registry.category("web_tour.tours").add("healthcare_billing_charge_correction_phone_tour", {
    steps: () => correct(true),
});
