import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'

export const listEvaluations = handle(
  contract.listEvaluations,
  async (ctx, { environment, monitor, limit, cursor, kind, feature, to }) => {
    const [before] = decodeCursor(cursor, 1) ?? ['infinity']
    const { rows } = await sql<{ at: string; body: contract.Evaluation }>`
      select at, body from monitoring.evaluation
      where environment = ${environment} and monitor = ${monitor} and at < ${before}::timestamptz
        and at <= ${to ?? 'infinity'}::timestamptz
      order by at desc limit ${limit + 1}
    `.execute(ctx.db)
    const asked = (metric: contract.Metric) =>
      (kind === undefined || metric.kind === kind) && (feature === undefined || metric.feature === feature)
    return pageFrom(
      rows,
      limit,
      ({ body }) => ({ ...body, metrics: body.metrics.filter(asked) }),
      (row) => [row.at],
    )
  },
)
