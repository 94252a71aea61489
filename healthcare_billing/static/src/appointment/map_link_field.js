import { Component, xml } from "@odoo/owl";
import { isAndroid, isIOS } from "@web/core/browser/feature_detection";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * An address that opens the map app which the phone's owner chose. Where a client lives goes to no
 * web site; computers, on which such links do nothing, show the address alone.
 */
export class MapLinkField extends Component {
    static template = xml`
        <a t-if="mapUrl" t-att-href="mapUrl" t-on-click.stop="" t-esc="address"/>
        <span t-else="" t-esc="address"/>
    `;
    static props = { ...standardFieldProps };

    get address() {
        return this.props.record.data[this.props.name] || "";
    }

    get mapUrl() {
        const query = encodeURIComponent(this.address);
        if (!query) {
            return false;
        }
        if (isIOS()) {
            return `maps:?q=${query}`; // these phones don't know geo:
        }
        return isAndroid() && `geo:0,0?q=${query}`;
    }
}

registry.category("fields").add("healthcare_map_link", {
    component: MapLinkField,
    displayName: _t("Address with a map"),
    supportedTypes: ["char", "text"],
});
