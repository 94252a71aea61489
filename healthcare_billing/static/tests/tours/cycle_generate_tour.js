import { registry } from "@web/core/registry";

// Data: test_cycle_tours.py. Alice and Bob have an approved visit of today, 80.00 each.

const GENERATE = "button[name=action_generate]";

const onlyOpenOnes = [
    {
        content: "The open cycles, by default",
        trigger: ".o_searchview_facet:contains(Open)",
    },
];

const createCycle = [
    {
        content: "A new cycle begins today",
        trigger: ".o_list_button_add:visible, .o-kanban-button-new:visible",
        run: "click",
    },
    {
        trigger: ".o_form_view .o_field_widget[name=date_from]",
    },
    {
        content: "Save",
        trigger: ".o_form_button_save:visible",
        run: "click",
    },
    {
        trigger: ".o_form_saved, .o_form_view:has(h1 .o_field_widget[name=name]:contains(CYC))",
    },
];

const previewAndCreate = [
    {
        content: "Only what is new is the default",
        trigger: ".modal .o_field_widget[name=mode] input:checked",
    },
    {
        trigger: ".modal button[name=action_preview]",
        run: "click",
    },
    {
        content: "The preview names the cycle, and both invoices",
        trigger: ".o_form_view .o_field_widget[name=billing_cycle_id]:contains(CYC)",
    },
    {
        trigger: ".o_healthcare_totals .o_field_widget[name=selected_count]:contains(2)",
    },
    {
        content: "Create",
        trigger: ".o_statusbar_buttons button:contains(Create Selected Invoices)",
        run: "click",
    },
    {
        trigger: ".modal button[name=action_confirm]",
        run: "click",
    },
    {
        trigger: ".o_healthcare_results .o_field_widget[name=created_count]:contains(2)",
    },
];

const openGenerate = [
    {
        content: "Generate",
        trigger: `.o_statusbar_buttons ${GENERATE}`,
        run: "click",
    },
];

const regenerate = [
    {
        content: "The draft says that it is out of date",
        trigger: ".alert:contains(amounts are others) button[name=action_regenerate]",
        run: "click",
    },
    {
        trigger: ".modal .o_field_widget[name=what] input:checked",
    },
    {
        trigger: ".modal button[name=action_regenerate]",
        run: "click",
    },
    {
        content: "Two units now",
        trigger: ".o_form_view .o_field_widget[name=tax_totals]:contains(160.00)",
    },
    {
        trigger: ".o_form_view:not(:has(.alert:contains(amounts are others)))",
    },
];

registry.category("web_tour.tours").add("healthcare_billing_cycle_generate_tour", {
    steps: () => [...onlyOpenOnes, ...createCycle, ...openGenerate, ...previewAndCreate],
});

// A phone hides what is searched for.
registry.category("web_tour.tours").add("healthcare_billing_cycle_generate_phone_tour", {
    steps: () => [...createCycle, ...openGenerate, ...previewAndCreate],
});

registry.category("web_tour.tours").add("healthcare_billing_cycle_regenerate_tour", {
    steps: () => regenerate,
});
