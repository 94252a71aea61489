import { registry } from "@web/core/registry";

// What the server has to do first takes as long as it takes.
const PATIENCE = 60000;
const DECISION = ".modal:has(.modal-title:contains(Adjudicate))";
const EXTRA = ".modal:has(.modal-title:contains(Add Charges and Discounts))";

const BALANCE = "body:not(:has(.modal)) .o_field_widget[name=amount_residual]";

/** Add 7.00 as finance charge: what is typed is shown on the items before it is booked. */
function addCharge(item) {
    return [
        {
            trigger: `${EXTRA} .o_field_widget[name=amount] input`,
            run: "edit 7",
            timeout: PATIENCE,
        },
        {
            trigger: `${EXTRA} .o_field_widget[name=description] input`,
            run: "edit Late since March",
        },
        {
            trigger: `${EXTRA} ${item}:contains(87.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${EXTRA} button[name=action_confirm]`,
            run: "click",
        },
        {
            trigger: `${BALANCE}:contains(87.00)`,
            timeout: PATIENCE,
        },
    ];
}

/** 30.00 allowed, 1.00 sequestered, 7.00 finance charge: 36.00 is owed. */
function adjudicate() {
    return [
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
            content: "Leave the row, so that it is told what is typed",
            trigger: `${DECISION} p.text-muted`,
            run: "click",
        },
        {
            trigger: `${DECISION} .o_data_row [name=balance_then]:contains(36.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${DECISION} button[name=action_confirm]`,
            run: "click",
        },
        {
            trigger: `${BALANCE}:contains(36.00)`,
            timeout: PATIENCE,
        },
        {
            content: "The corrections are listed",
            trigger: ".o_field_widget[name=child_ids] .o_data_row:contains(Adjustment)",
        },
    ];
}

const PRESS = (name) => ({ trigger: `.o_statusbar_buttons button[name=${name}]`, run: "click" });

registry.category("web_tour.tours").add("healthcare_billing_charge_correction_tour", {
    steps: () => [
        PRESS("action_add_extra"),
        ...addCharge(".o_data_row"),
        PRESS("action_adjudicate"),
        ...adjudicate(),
        PRESS("action_unadjudicate"),
        {
            trigger: ".modal .modal-footer .btn-primary",
            run: "click",
        },
        {
            trigger: `${BALANCE}:contains(87.00)`,
            timeout: PATIENCE,
        },
    ],
});

// On a phone the first button is there, the others are in a menu, and items are cards.
registry.category("web_tour.tours").add("healthcare_billing_charge_correction_phone_tour", {
    steps: () => [
        {
            trigger: ".o_statusbar_buttons button.dropdown-toggle",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu button[name=action_add_extra]",
            run: "click",
        },
        ...addCharge(".o_kanban_record"),
        PRESS("action_adjudicate"),
        {
            trigger: `${DECISION} .o_kanban_record:contains(80.00)`,
            timeout: PATIENCE,
        },
        {
            trigger: `${DECISION} button:contains(Discard)`,
            run: "click",
        },
        {
            trigger: `${BALANCE}:contains(87.00)`,
        },
    ],
});
