// Steps that several tours of appointments share.
import { browser } from "@web/core/browser/browser";

/** Open the popover of an appointment in the calendar. */
export function openInCalendar(client) {
    return [
        {
            content: `The session of ${client} in the calendar`,
            trigger: `.o_event:contains(${client}):first`,
            run: "click",
        },
        { trigger: `.o_cw_popover:contains(${client})` },
    ];
}

/** From the form of an appointment: repeat it weekly; `skipped` is the text of a conflict. */
export function repeatWeekly(skipped) {
    return [
        {
            content: "Repeat",
            trigger: "button[name=action_repeat]",
            run: "click",
        },
        {
            content: "The conflict is listed, and its date is left out",
            trigger: `.modal .o_field_widget[name=date_ids] .o_data_row:contains(${skipped}) .o_boolean_toggle input:not(:checked)`,
        },
        {
            trigger: ".modal [name=summary]:contains(skipped dates: 1)",
        },
        {
            content: "Nothing was created before this",
            trigger: ".modal button[name=action_apply]:contains(Create Appointments)",
            run: "click",
        },
        {
            content: "The series with its appointments",
            trigger: "button[name=action_change_upcoming]",
        },
    ];
}

/** From the form of a series: let all upcoming ones start at another time. */
export function changeUpcomingTime(time) {
    return [
        {
            trigger: "button[name=action_change_upcoming]",
            run: "click",
        },
        {
            content: "This and all future: another time",
            trigger: ".modal .o_field_widget[name=start_time] input",
            run: `edit ${time} && press Tab`,
        },
        {
            content: "How many are replaced, and how many stay",
            trigger: ".modal [name=summary]:contains(replaced)",
        },
        {
            trigger: ".modal button[name=action_apply]:contains(Change)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ];
}

/** A button of the provider's day, on the card of a client. */
export function pressInMyDay(client, button) {
    return {
        content: `${client}: ${button}`,
        trigger: `.o_healthcare_my_day .o_kanban_record:contains(${client}) button[name=${button}]`,
        run: "click",
    };
}

/** The provider's visit from the first to the last button. */
export function visitOnThePhone(client) {
    return [
        pressInMyDay(client, "action_check_in"),
        pressInMyDay(client, "action_check_out"),
        pressInMyDay(client, "action_complete"),
        pressInMyDay(client, "action_sign_note"),
        {
            trigger: `.o_healthcare_my_day .o_kanban_record:contains(${client}):contains(Note signed)`,
        },
    ];
}

/** What the browser says of itself from now on. */
export function pretendToBe(userAgent) {
    Object.defineProperty(browser.navigator, "userAgent", { value: userAgent, configurable: true });
}
