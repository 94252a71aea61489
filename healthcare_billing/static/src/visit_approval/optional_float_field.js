import { Component, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus } from "@web/core/utils/hooks";
import { formatFloat } from "@web/views/fields/formatters";
import { parseFloat } from "@web/views/fields/parsers";
import { useNumpadDecimal } from "@web/views/fields/numpad_decimal_hook";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * A number that may be none: floats have no empty value, a flag beside it tells whether there is
 * one. Typing 0 gives a 0, emptying the cell takes the number away.
 */
export class OptionalFloatField extends Component {
    static template = "healthcare_billing.OptionalFloatField";
    static props = { ...standardFieldProps, flag: String, placeholder: { type: String, optional: true } };

    setup() {
        this.inputRef = useRef("numpadDecimal");
        useNumpadDecimal();
        const { bus } = this.props.record.model;
        useBus(bus, "WILL_SAVE_URGENTLY", () => this.commit());
        useBus(bus, "NEED_LOCAL_CHANGES", ({ detail }) => detail.proms.push(this.commit()));
    }

    get formattedValue() {
        const { record, name, flag } = this.props;
        return record.data[flag]
            ? formatFloat(record.data[name], { field: record.fields[name] })
            : "";
    }

    onInput(ev) {
        const { record, name } = this.props;
        record.model.bus.trigger("FIELD_IS_DIRTY", ev.target.value !== this.formattedValue);
        record.resetFieldValidity(name);
    }

    onKeydown(ev) {
        if (["Tab", "Enter"].includes(ev.key)) {
            this.commit();
        }
    }

    async commit() {
        const input = this.inputRef.el;
        const text = input?.value.trim();
        if (!input || text === this.formattedValue) {
            return;
        }
        const { record, name, flag } = this.props;
        let value = 0;
        try {
            value = text ? parseFloat(text, { allowOperation: true }) : 0;
        } catch {
            return record.setInvalidField(name);
        }
        await record.update({ [name]: value, [flag]: Boolean(text) });
        record.model.bus.trigger("FIELD_IS_DIRTY", false);
    }
}

export const optionalFloatField = {
    component: OptionalFloatField,
    displayName: _t("Number that may be empty"),
    supportedTypes: ["float"],
    supportedOptions: [
        { label: _t("Field that says whether there is a number"), name: "flag", type: "string" },
    ],
    isEmpty: (record, fieldName) => !record.data[fieldName],
    fieldDependencies: ({ options }) => [
        { name: options.flag, type: "boolean", readonly: false },
    ],
    extractProps: ({ options, placeholder }) => ({ flag: options.flag, placeholder }),
};

registry.category("fields").add("healthcare_optional_float", optionalFloatField);
