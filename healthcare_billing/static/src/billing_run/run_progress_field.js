import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, onMounted, onWillUnmount } from "@odoo/owl";

const INTERVAL = 3000;
const COUNTS = ["created_count", "skipped_count", "failed_count"];

/** How far the background is with a run. Asks every few seconds, as long as the run is running. */
export class RunProgress extends Component {
    static template = "healthcare_billing.RunProgress";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        onMounted(() => this.askLater());
        onWillUnmount(() => {
            this.unmounted = true;
            clearTimeout(this.timeout);
        });
    }

    get isRunning() {
        return this.props.record.data.state === "running";
    }

    askLater() {
        this.timeout = setTimeout(() => this.ask(), INTERVAL);
    }

    async ask() {
        const run = this.props.record;
        if (this.isRunning && run.resId) {
            try {
                await this.update(run);
            } catch (error) {
                if (!(error instanceof ConnectionLostError)) {
                    throw error; // while the server restarts, it is asked again
                }
            }
        }
        if (!this.unmounted) {
            this.askLater();
        }
    }

    /** Show the new figures; when the run has ended, all of it. */
    async update(run) {
        const names = ["state", "progress", "stop_requested", ...COUNTS];
        const [values] = await this.orm.silent.read(run.resModel, [run.resId], names);
        if (this.unmounted) {
            return;
        }
        if (values.state === "running") {
            delete values.id;
            run._applyValues(values);
        } else {
            await run.load();
        }
    }

    get value() {
        return Math.round(this.props.record.data[this.props.name] || 0);
    }

    get percent() {
        return `${this.value} %`;
    }

    get title() {
        const { task, stop_requested: stopped } = this.props.record.data;
        if (stopped) {
            return _t("Stopping after the rows that are in the making");
        }
        return {
            execute: _t("Creating invoices in the background"),
            post: _t("Posting drafts in the background"),
            undo: _t("Taking invoices back in the background"),
        }[task];
    }

    get counts() {
        const { data } = this.props.record;
        if (data.task !== "execute") {
            const done = Math.round((data.task_total * data.progress) / 100);
            return [{ name: "done", label: _t("Rows done"), value: `${done} / ${data.task_total}` }];
        }
        return [
            {
                name: "created_count",
                label: _t("Created"),
                value: data.created_count,
                className: "text-success",
            },
            { name: "skipped_count", label: _t("Skipped"), value: data.skipped_count },
            {
                name: "failed_count",
                label: _t("Failed"),
                value: data.failed_count,
                className: data.failed_count ? "text-danger" : "",
            },
        ];
    }
}

registry.category("fields").add("healthcare_run_progress", {
    component: RunProgress,
    supportedTypes: ["float"],
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "task", type: "selection" },
        { name: "task_total", type: "integer" },
        { name: "stop_requested", type: "boolean" },
        ...COUNTS.map((name) => ({ name, type: "integer" })),
    ],
});
