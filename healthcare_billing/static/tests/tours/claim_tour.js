import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

// Data: test_claim_tours.py. One posted invoice of Ivy to her payer; her coverage has no member ID.
function state(label) {
    return {
        content: `The claim is ${label}`,
        trigger: `.o_statusbar_status .o_arrow_button_current:contains(${label})`,
    };
}

function phoneState(label) {
    return {
        content: `The claim is ${label}`,
        trigger: `.o_statusbar_status button:visible:contains(${label})`,
    };
}

function press(name) {
    return {
        content: `Press ${name}`,
        trigger: `.o_statusbar_buttons button[name=${name}]:visible`,
        run: "click",
    };
}

registry.category("web_tour.tours").add("healthcare_billing_claim_tour", {
    url: "/odoo/care-invoices",
    steps: () => [
        {
            content: "Open the invoice of the payer",
            trigger: ".o_data_row:contains(Test Insurance) td[name=invoice_partner_display_name]",
            run: "click",
        },
        press("action_add_to_claims"),
        {
            content: "What would be claimed: both visits, one claim per code",
            trigger:
                ".modal div[name=summary]:has(.o_field_widget[name=claim_count]:contains(2)):contains($ 200.00)",
        },
        {
            content: "Group them",
            trigger: ".modal button[name=action_group]",
            run: "click",
        },
        {
            trigger:
                ".modal div[name=summary]:has(.o_field_widget[name=claim_count]:contains(1)):contains($ 200.00)",
        },
        {
            trigger: ".modal .o_data_row:contains(Ivy Insured):contains(H0004)",
        },
        {
            content: "Create",
            trigger: ".modal button[name=action_create]",
            run: "click",
        },
        state("Awaiting Submission"),
        {
            content: "Something is missing, and a button mends it",
            trigger: "div[name=missing] .o_data_row:contains(No member ID) button:contains(Fix)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=member_id] input",
            run: "edit M-77",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger: "div[name=complete]:contains(Nothing is missing)",
        },
        press("action_submit"),
        state("Submitted"),
        press("action_open_reject"),
        {
            content: "The payer's words",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Modifier missing",
        },
        {
            trigger: ".modal button[name=action_reject]",
            run: "click",
        },
        state("Rejected"),
        {
            trigger: ".alert-danger:contains(Modifier missing)",
        },
        {
            content: "Correct the modifiers",
            trigger: ".o_field_widget[name=line_ids] .o_data_row:first td[name=modifier_ids]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=line_ids] .o_field_widget[name=modifier_ids] input",
            run: "edit ZA",
        },
        {
            trigger: ".ui-autocomplete > li > a:contains(Test ZA)",
            run: "click",
        },
        {
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "The history says who changed what",
            trigger: ".o-mail-Message:contains(Modifiers: – → ZA)",
        },
        press("action_resubmit"),
        state("Awaiting Submission"),
        {
            content: "A new version with the correction",
            trigger: ".o_field_widget[name=line_ids] .o_data_row:first:contains(ZA)",
        },
        press("action_submit"),
        state("Submitted"),
        press("action_accept"),
        state("Accepted"),
        {
            content: "The number that the payer gave it",
            trigger: ".o_field_widget[name=payer_claim_number] input",
            run: "edit ICN-42",
        },
        press("action_mark_paid"),
        state("Paid"),
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_claim_phone_tour", {
    url: "/odoo/care-invoices",
    steps: () => [
        {
            content: "Open the invoice of the payer",
            trigger: ".o_kanban_record:contains(Test Insurance)",
            run: "click",
        },
        {
            content: "On the phone, buttons are in a menu",
            trigger:
                ".o_form_view .o_statusbar_buttons .dropdown-toggle, .o_form_view .o_statusbar_buttons .o-dropdown",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu button[name=action_add_to_claims]",
            run: "click",
        },
        {
            content: "What would be claimed, as cards",
            trigger:
                ".modal div[name=summary]:has(.o_field_widget[name=claim_count]:contains(2)):contains($ 200.00)",
        },
        {
            content: "Group them",
            trigger: ".modal button[name=action_group]:visible",
            run: "click",
        },
        {
            trigger:
                ".modal div[name=summary]:has(.o_field_widget[name=claim_count]:contains(1)):contains($ 200.00)",
        },
        {
            trigger: ".modal .o_kanban_record:contains(Ivy Insured):contains(H0004)",
        },
        {
            content: "Create",
            trigger: ".modal button[name=action_create]:visible",
            run: "click",
        },
        phoneState("Awaiting Submission"),
        {
            content: "Its list has cards that say what is missing",
            trigger: ".o_form_view .o_statusbar_status",
            run: () => browser.location.assign("/odoo/care-claims"),
            expectUnloadPage: true,
        },
        {
            content: "On the phone, cards that say what is missing",
            trigger: ".o_kanban_record:contains(Ivy Insured):contains(1 missing)",
            run: "click",
        },
        {
            trigger: "div[name=missing] .o_kanban_record:contains(No member ID) button[name=action_mend]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=member_id] input",
            run: "edit M-77",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger: "div[name=complete]:contains(Nothing is missing)",
        },
        press("action_submit"),
        phoneState("Submitted"),
        press("action_accept"),
        phoneState("Accepted"),
        press("action_mark_paid"),
        phoneState("Paid"),
    ],
});
