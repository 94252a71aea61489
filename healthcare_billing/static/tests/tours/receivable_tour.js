import { registry } from "@web/core/registry";

const NAME = "Anna Adams";

// From the list of what is owed to the appointment, back to the billing office, and parked.
registry.category("web_tour.tours").add("healthcare_billing_receivable_tour", {
    steps: () => [
        {
            content: "the receivable is listed",
            trigger: `.o_data_row:contains(${NAME}) td[name=stage]:contains(Awaiting Payment)`,
        },
        {
            content: "choose it",
            trigger: `.o_data_row:contains(${NAME}) .o_list_record_selector input`,
            run: "click",
        },
        {
            content: "take it back",
            trigger: ".o_control_panel button[name=action_return_to_billing]",
            run: "click",
        },
        {
            content: "it is at the billing office",
            trigger: `.o_data_row:contains(${NAME}) td[name=stage]:contains(To Bill)`,
        },
        {
            content: "open its appointment",
            trigger: `.o_data_row:contains(${NAME}) td[name=client_id]`,
            run: "click",
        },
        {
            content: "what is owed, and all that happened",
            trigger: ".o_notebook a[name=receivables]",
            run: "click",
        },
        {
            content: "invoice and payment are told with the balance",
            trigger: ".o_healthcare_events tr:contains(Payment):contains(60.00)",
        },
        {
            content: "the rest of the tabs",
            trigger: ".o_notebook a[name=more]",
            run: "click",
        },
        {
            content: "park it",
            trigger: "button[name=action_park]:contains(Park)",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Waits for the appeal",
        },
        {
            content: "park",
            trigger: ".modal footer button[name=action_park]:contains(Park)",
            run: "click",
        },
        {
            content: "it is told",
            trigger: "div[name=parked_info]:contains(Waits for the appeal)",
        },
    ],
});

// Aged receivables: equal to the ledger, by who owes, and an earlier day.
registry.category("web_tour.tours").add("healthcare_billing_aged_tour", {
    steps: () => [
        {
            content: "equal to the ledger",
            trigger: "div[name=agrees]:contains(60.00)",
        },
        {
            content: "by responsibility",
            trigger: ".o_healthcare_aged tr:contains(Client):contains(60.00)",
        },
        {
            content: "the items",
            trigger: "div[name=buckets] button:contains(Total)",
            run: "click",
        },
        {
            content: "who owes",
            trigger: `.o_data_row:contains(${NAME}):contains(60.00)`,
        },
    ],
});
