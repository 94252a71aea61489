import { registry } from "@web/core/registry";

// Data: test_invoice_export_tours.py. Two programs that are billed by files, one posted invoice each.
const exportFiles = [
    {
        content: "How many invoices, and which programs take files",
        trigger: ".modal .o_field_widget[name=payer_count]:contains(2)",
    },
    {
        trigger: ".modal .o_radio_input[data-value=payer_file]",
        run: "click",
    },
    {
        trigger: ".modal button[name=action_export]",
        run: "click",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_invoice_export_tour", {
    steps: () => [
        {
            trigger: ".o_data_row:contains(North Program)",
        },
        {
            content: "Select all",
            trigger: "thead .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: "button[name=action_export]",
            run: "click",
        },
        ...exportFiles,
        {
            content: "A file for each program",
            trigger: ".modal .o_field_widget[name=part_ids] .o_data_row:contains(North Program)",
        },
        {
            trigger: ".modal .o_data_row:contains(South Program) button[name=action_download]",
        },
        {
            trigger: ".modal button.btn-close",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o_data_row:contains(South Program)",
        },
    ],
});
