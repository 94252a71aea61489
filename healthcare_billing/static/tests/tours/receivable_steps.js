import { stepUtils } from "@web_tour/tour_utils";

/** From the list of apps to a menu under Receivables, by its name in the addon. */
export function openAppAtReceivables(menu) {
    return [
        stepUtils.showAppsMenuItem(),
        {
            content: "Open the app",
            trigger:
                '.o_app[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_root"]',
            run: "click",
        },
        ...openReceivables(menu),
    ];
}

/** From anywhere in the app to a menu under Receivables. */
export function openReceivables(menu) {
    return [
        {
            content: "Open the receivables",
            trigger:
                'button[data-menu-xmlid="healthcare_billing.healthcare_billing_menu_receivables"]',
            run: "click",
        },
        {
            trigger: `a[data-menu-xmlid="healthcare_billing.${menu}"]`,
            run: "click",
        },
    ];
}

/** From the list of statements to a new one for a client, with so many items. */
export function newStatement(client, count) {
    return [
        {
            content: "The list of before has a button New, too",
            trigger: ".o_control_panel .o_breadcrumb:contains(Statements)",
        },
        {
            content: "A new statement",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            content: "For whom",
            trigger: ".o_field_widget[name=partner_id] input",
            timeout: 30000,
            run: `edit ${client}`,
        },
        {
            trigger: `.o-autocomplete--dropdown-item:contains(${client})`,
            run: "click",
        },
        {
            content: "What is owed is shown at once",
            trigger: `.o_field_widget[name=line_ids] .o_data_row:nth-child(${count})`,
            timeout: 30000,
        },
    ];
}

/** A statement's state, as its form shows it. */
export function stateIs(state) {
    return {
        content: `It is ${state}`,
        trigger: `.o_form_view:not(:has(.o_form_dirty)) .o_arrow_button_current:contains(${state})`,
        timeout: 60000,
    };
}
