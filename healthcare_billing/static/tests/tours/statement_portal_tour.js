import { registry } from "@web/core/registry";

/** On the page of a statement: pay an amount by the demo provider, and come back. */
function pay(due, amount) {
    return [
        {
            content: "All that is due is filled in",
            trigger: `input#statement_amount[value="${due}"]`,
        },
        {
            content: "Another amount",
            trigger: "input#statement_amount",
            run: `edit ${amount}`,
        },
        {
            content: "To the ways to pay",
            trigger: "form:has(#statement_amount) button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What is paid",
            trigger: `.card-body:has(#o_payment_form) strong:contains(${amount}.00)`,
        },
        {
            trigger: "input[name=o_payment_radio][data-provider-code=demo]:checked",
        },
        {
            content: "A card that is good",
            trigger: "input#customer_input",
            run: "edit 4242 4242 4242 4242",
        },
        {
            content: "Pay",
            trigger: "button[name=o_payment_submit_button]:enabled",
            run: "click",
            expectUnloadPage: true,
        },
    ];
}

// Data: test_statement_portal_tours.py. Anna owes 80.00, and nothing else.
registry.category("web_tour.tours").add("healthcare_billing_statement_portal_tour", {
    url: "/my/home",
    steps: () => [
        {
            content: "Her statements",
            trigger: ".o_portal_index_card a[href='/my/statements'], a[href='/my/statements']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "tr:contains(80.00) a.btn:contains(Pay)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "What it is for",
            trigger: ".border:contains(Nursing):contains(80.00)",
        },
        ...pay("80.00", 30),
        {
            content: "Back at the statement: the rest is due",
            trigger: ".card-body:contains(50.00):contains(due today)",
            timeout: 60000,
        },
        ...pay("50.00", 50),
        {
            content: "It is closed",
            trigger: ".card-body:contains(This statement is closed)",
            timeout: 60000,
        },
    ],
});
