import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import type { RunError, RunState } from './contract.ts'

/** Ends a run and what it had not finished, once: the state that it ended in stays. */
export async function endRun(
  ctx: OperationContext,
  run: string,
  end: { state: 'done' | 'failed' | 'cancelled'; error: RunError | null },
): Promise<RunState> {
  const now = ctx.clock.iso()
  const ended = await sql`
    update pipelines.run
    set state = ${end.state}, ended_at = ${now}, error = ${end.error === null ? null : JSON.stringify(end.error)}::jsonb
    where id = ${run} and state in ('queued', 'running') returning id
  `.execute(ctx.db)
  if (ended.rows.length === 0) {
    const { rows } = await sql<{ state: RunState }>`select state from pipelines.run where id = ${run}`.execute(ctx.db)
    return rows[0]?.state ?? end.state
  }
  await sql`
    update pipelines.step
    set state = case when ${end.state} = 'failed' and state = 'pending' then 'skipped' else 'cancelled' end,
        ended_at = case when started_at is null then null else ${now}::timestamptz end
    where run = ${run} and state in ('pending', 'running', 'retrying')
  `.execute(ctx.db)
  ctx.entry.facts({ state: end.state, error: end.error?.code ?? null, step: end.error?.step ?? null })
  return end.state
}
