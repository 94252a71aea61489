import { registry } from "@web/core/registry";

const row = (client) => `.o_data_row:contains(${client})`;

function typeIn(client, field, value) {
    return [
        {
            content: `${client}: ${field}`,
            trigger: `${row(client)} td[name=${field}]`,
            run: "click",
        },
        {
            trigger: `${row(client)} td[name=${field}] input`,
            run: value ? `edit ${value}` : "clear",
        },
        { trigger: ".o_list_button_save", run: "click" },
        { trigger: ".o_list_view:not(:has(.o_selected_row))" },
    ];
}

registry.category("web_tour.tours").add("healthcare_billing_visit_approval_tour", {
    steps: () => [
        {
            content: "Not approved ones are shown first; an empty cell is empty",
            trigger: `${row("Alice Adams")} td[name=approved_qty]:not(:contains(0.00))`,
        },
        {
            content: "No clock stamps, no clocked time",
            trigger: `${row("Cora Clark")} td[name=clocked_duration]:not(:contains(00:00))`,
        },
        ...typeIn("Alice Adams", "bill_override_qty", "0"),
        {
            content: "An override approves nothing, and 0 is a value",
            trigger: `${row("Alice Adams")}:contains(Not Approved) td[name=bill_override_qty]:contains(0.00)`,
        },
        ...typeIn("Alice Adams", "bill_override_qty", ""),
        {
            content: "Emptied: none",
            trigger: `${row("Alice Adams")} td[name=bill_override_qty]:not(:contains(0.00))`,
        },
        ...typeIn("Alice Adams", "approved_qty", "0"),
        {
            content: "Typed hours approve, 0 included",
            trigger: `${row("Alice Adams")} td[name=approved_qty]:contains(0.00)`,
        },
        {
            trigger: `${row("Alice Adams")} td[name=approval_state]:contains(Approved):not(:contains(Not))`,
        },
        {
            content: "One to its scheduled time",
            trigger: `${row("Bob Brown")} button[name=action_approve_scheduled]`,
            run: "click",
        },
        {
            content: "The list is loaded again: what is approved left it",
            trigger: `.o_list_view:not(:has(${row("Bob Brown")})) ${row("Cora Clark")}`,
        },
        {
            content: "Nothing is chosen: all that the list shows",
            trigger: "button[name=action_decide]",
            run: "click",
        },
        {
            content: "What would be left out, and why",
            trigger: ".modal label:contains(Approve matching to clocked)",
            run: "click",
        },
        { trigger: ".modal [name=summary]:contains(no clock stamps)" },
        { trigger: ".modal [name=ready_count]:contains(81)" },
        {
            trigger: ".modal button[name=action_apply]:contains(Approve)",
            run: "click",
        },
        {
            content: "How many were approved and how many left out",
            trigger: ".o_notification:contains(Visits approved: 81):contains(no clock stamps)",
        },
        {
            content: "The list was loaded again",
            trigger: `.o_list_view:not(:has(${row("Daily Client")})) ${row("Cora Clark")}`,
        },
        {
            content: "Choose one, and reject it",
            trigger: `${row("Cora Clark")} .o_list_record_selector input`,
            run: "click",
        },
        { trigger: "button[name=action_decide]", run: "click" },
        { trigger: ".modal label:contains(Reject all)", run: "click" },
        {
            trigger: ".modal button[name=action_apply]:contains(Reject):not(.d-none)",
            run: "click",
        },
        { trigger: ".o_notification:contains(Visits rejected: 1)" },
        { trigger: ".o_nocontent_help:contains(Nothing to approve)" },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_visit_approval_phone_tour", {
    steps: () => [
        {
            content: "Cards on the phone",
            trigger: ".o_kanban_record:contains(Alice Adams) button[name=action_approve_clocked]",
            run: "click",
        },
        {
            trigger:
                ".o_kanban_renderer:not(:has(.o_kanban_record:contains(Alice Adams))) .o_kanban_record:contains(Bob Brown) button[name=action_reject]",
            run: "click",
        },
        {
            trigger: ".o_kanban_renderer:not(:has(.o_kanban_record:contains(Bob Brown)))",
        },
        { trigger: "button[name=action_decide]", run: "click" },
        { trigger: ".modal [name=visit_count]:contains(1)" },
        { trigger: ".modal button[name=action_apply]:contains(Approve)", run: "click" },
        { trigger: ".o_notification:contains(Visits approved: 1)" },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_unscheduled_tour", {
    steps: () => [
        {
            content: "Two visits that nobody planned",
            trigger: ".o_data_row:contains(Alice Adams)",
        },
        { trigger: "thead .o_list_record_selector input", run: "click" },
        {
            trigger: ".o_control_panel button[name=action_add_to_schedule]",
            run: "click",
        },
        {
            content: "What it collides with is shown before",
            trigger: ".modal .o_data_row:contains(Bob Brown) td[name=conflicts]:contains(Provider has)",
        },
        {
            content: "Leave that one out",
            trigger: ".modal .o_data_row:contains(Bob Brown) td[name=selected] input",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=auto_approve] input", run: "click" },
        { trigger: ".modal button[name=action_apply]", run: "click" },
        { trigger: ".o_notification:contains(Visits added to the schedule: 1)" },
        {
            content: "The other one is rejected",
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Alice Adams))) .o_data_row:contains(Bob Brown) button[name=action_reject]",
            run: "click",
        },
        { trigger: ".modal-footer .btn-primary", run: "click" },
        { trigger: ".o_nocontent_help:contains(No unscheduled visits)" },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_unscheduled_phone_tour", {
    steps: () => [
        {
            content: "At a client without a schedule",
            trigger: "button[name=action_check_in_unscheduled]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=client_id] input",
            run: "click",
        },
        {
            content: "Choose the client",
            trigger: ".modal .o_kanban_record:contains(Aaron Neighbor)",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=client_id] input:value(Aaron Neighbor)",
        },
        { trigger: ".modal button[name=action_check_in]:contains(Check In)", run: "click" },
        {
            content: "It is on My Day, begun",
            trigger: ".o_kanban_record:contains(Aaron Neighbor):contains(Unscheduled) button[name=action_check_out]",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(Aaron Neighbor) button[name=action_complete]",
            run: "click",
        },
        { trigger: ".o_kanban_record:contains(Aaron Neighbor):contains(Completed)" },
    ],
});
