from odoo import fields
from odoo.tools import SQL

# Bounces come back within days. What is older doesn't change any more.
RESULT_DAYS = 60


def delivery_results(env, table, relation, column, still=None):
    """What mail servers and bounces said of the e-mails that deliver records. One query.

    Only who was meant counts: colleagues who follow a record may bounce.

    :param env: environment, in whose language texts are
    :param str table: of a model with ``delivery_state`` and ``delivered_on``
    :param str relation: table of its many2many with the messages that carry it
    :param str column: of the relation, with the record's id
    :param SQL still: condition on ``record``, default all of them
    :return: ``{(state, text or False): [ids]}`` of those whose state is another one now; states are
        sent and failed
    """
    env.flush_all()
    rows = env.execute_query(
        SQL(
            """
            SELECT record.id,
                   CASE WHEN bool_or(notice.bad) THEN 'failed' ELSE 'sent' END,
                   MIN(notice.failure_type) FILTER (WHERE notice.bad),
                   MIN(notice.failure_reason) FILTER (WHERE notice.bad)
              FROM %(table)s record
              JOIN %(relation)s rel ON rel.%(column)s = record.id
              JOIN LATERAL (
                    SELECT notification.*,
                           notification.notification_status
                               IN ('bounce', 'exception', 'canceled') AS bad
                      FROM mail_notification notification
                      JOIN mail_message_res_partner_rel meant
                        ON meant.mail_message_id = notification.mail_message_id
                       AND meant.res_partner_id = notification.res_partner_id
                     WHERE notification.mail_message_id = rel.message_id
                   ) notice ON TRUE
             WHERE record.delivery_state IN ('queued', 'sent', 'failed')
               AND %(still)s
               AND record.delivered_on > %(since)s
          GROUP BY record.id
            HAVING bool_and(notice.bad OR notice.notification_status IN ('sent', 'pending'))
               AND record.delivery_state
                   != CASE WHEN bool_or(notice.bad) THEN 'failed' ELSE 'sent' END
            """,
            table=SQL.identifier(table),
            relation=SQL.identifier(relation),
            column=SQL.identifier(column),
            still=still or SQL("TRUE"),
            since=fields.Datetime.subtract(fields.Datetime.now(), days=RESULT_DAYS),
        )
    )
    found = {}
    for record_id, state, failure_type, reason in rows:
        key = (state, failure_type, reason if failure_type in (None, "unknown") else None)
        found.setdefault(key, []).append(record_id)
    results = {}
    for (state, failure_type, reason), ids in found.items():
        text = False
        if state == "failed":
            notice = env["mail.notification"].new(
                {"failure_type": failure_type, "failure_reason": reason}
            )
            text = env._("E-mail not delivered: %s", notice.format_failure_reason())
        results.setdefault((state, text), []).extend(ids)
    return results
