import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

// Data: test_delivery_tours.py. Anna and Ben have an e-mail address, Cora has none; Ben's invoice
// is a draft. Three invoices of 80.00.
const search = [
    {
        content: "The criteria begin with this month, and tell what they find",
        trigger: ".modal .o_field_widget[name=move_count]:contains(3)",
    },
    {
        trigger: ".modal .o_field_widget[name=amount_total]:contains(240.00)",
    },
    {
        content: "Search",
        trigger: ".modal button[name=action_search]",
        run: "click",
    },
    {
        content: "The invoices, and not the list behind the criteria",
        trigger: "body:not(:has(.modal)) .o_data_row:contains(Anna Adams) td[name=created_on]",
    },
];

const confirmEmail = [
    {
        content: "Invoice or superbill",
        trigger: ".modal .o_field_widget[name=document]:contains(Superbill)",
    },
    {
        content: "What will be sent, and what won't",
        trigger: ".modal .o_field_widget[name=send_count]:contains(1)",
    },
    {
        trigger: ".modal .o_field_widget[name=no_address_count]:contains(1)",
    },
    {
        trigger: ".modal .o_field_widget[name=waiting_draft_count]:contains(1)",
    },
    {
        content: "Post drafts first",
        trigger: ".modal .o_field_widget[name=post_drafts] input",
        run: "click",
    },
    {
        trigger: ".modal .o_field_widget[name=send_count]:contains(2)",
    },
    {
        content: "Send",
        trigger: ".modal button[name=action_confirm]:contains(E-mail to Client)",
        run: "click",
    },
    {
        content: "The result",
        trigger: ".o_notification:contains(2 e-mails are queued)",
    },
    {
        trigger: "body:not(:has(.modal))",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_invoice_processing_tour", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "Open the app",
            trigger: '.o_app[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_root"]',
            run: "click",
        },
        {
            content: "Open the billing menu",
            trigger:
                'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_billing"]',
            run: "click",
        },
        {
            content: "Ask for existing invoices",
            trigger:
                'a[data-menu-xmlid="healthcare_billing.healthcare_invoice_processing_menu"]',
            run: "click",
        },
        ...search,
        {
            content: "Select all",
            trigger: "thead .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_selection_box:contains(3)",
        },
        {
            content: "Deselect Cora, and select her again",
            trigger: ".o_data_row:contains(Cora Clark) .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_selection_box:contains(2)",
        },
        {
            trigger: ".o_data_row:contains(Cora Clark) .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: ".o_selection_box:contains(3)",
        },
        {
            content: "One Print only",
            trigger:
                ".o_control_panel:has(button[name=action_process_print]):not(:has(.o_cp_action_menus .fa-print))",
        },
        {
            trigger: "button[name=action_process_email]",
            run: "click",
        },
        ...confirmEmail,
        {
            content: "Each row says what became of it",
            trigger: ".o_data_row:contains(Anna Adams) td[name=delivery_state]:contains(Queued)",
        },
        {
            trigger: ".o_data_row:contains(Ben Brown) td[name=delivery_state]:contains(Queued)",
        },
        {
            trigger:
                ".o_data_row:contains(Cora Clark) td[name=delivery_message]:contains(No valid e-mail)",
        },
        {
            content: "The invoice says it, too",
            trigger: ".o_data_row:contains(Cora Clark) td[name=name]",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=delivery_state]:contains(No Address)",
        },
    ],
});

registry.category("web_tour.tours").add("healthcare_billing_invoice_processing_phone_tour", {
    steps: () => [
        ...search,
        {
            content: "A long touch selects",
            trigger: ".o_data_row:contains(Anna Adams)",
            run({ anchor }) {
                const { left, top } = anchor.getBoundingClientRect();
                const touch = new Touch({
                    identifier: 1,
                    target: anchor,
                    clientX: left + 20,
                    clientY: top + 10,
                });
                anchor.dispatchEvent(
                    new TouchEvent("touchstart", { bubbles: true, touches: [touch] })
                );
            },
        },
        {
            content: "All of them",
            trigger: ".o_selection_box .o_select_domain, .o_selection_box + button:contains(All)",
            run: "click",
        },
        {
            trigger: ".o_selection_box:contains(3), .o_selection_box:contains(All)",
        },
        {
            content: "The buttons are in the menu",
            trigger: ".o_control_panel .o_cp_action_menus button, .o_control_panel button .fa-cog",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu button[name=action_process_email], .o-dropdown--menu :contains(E-mail to Client)",
            run: "click",
        },
        ...confirmEmail,
    ],
});
