import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { movedOn } from './start-step.ts'

/** What a cancelled run's step left behind is kept too: its log, its usage. */
export const finishStep = handle(contract.finishStep, async (ctx, input) => {
  const { run, step, attempt, outputs, state } = input
  const now = ctx.clock.iso()
  const result = input.result === undefined || input.result === null ? null : JSON.stringify(input.result)
  const { rows } = await sql<{ state: contract.StepState; key: string | null }>`
    update pipelines.step
    set state = case when state = 'running' then ${state} else state end,
        outputs = case when state = 'running' then ${JSON.stringify(outputs)}::jsonb else outputs end,
        result = ${result}::jsonb, exit_code = ${input.exitCode}, reason = ${input.reason},
        lost = lost + ${input.lost ? 1 : 0}, log_digest = ${input.logDigest},
        usage = ${input.usage === null ? null : JSON.stringify(input.usage)}::jsonb, ended_at = ${now}
    where run = ${run} and step = ${step} and attempt = ${attempt} and state in ('running', 'cancelled')
    returning state, key
  `.execute(ctx.db)
  const after = rows[0]
  if (after === undefined) throw movedOn(run, step)
  if (after.state === 'done' && after.key !== null) {
    await sql`
      insert into pipelines.cache_entry (workspace, key, outputs, result, run, step, created_at)
      values (${ctx.workspace}, ${after.key}, ${JSON.stringify(outputs)}::jsonb, ${result}::jsonb, ${run}, ${step}, ${now})
      on conflict (workspace, key) do update
        set outputs = excluded.outputs, result = excluded.result, run = excluded.run, step = excluded.step,
            created_at = excluded.created_at
    `.execute(ctx.db)
  }
  ctx.entry.subject('step', `${run}/${step}`)
  ctx.entry.subject('run', run)
  for (const { kind, id } of input.inputs) ctx.entry.input(kind, id)
  ctx.entry.output('run', run)
  if (after.state === 'done') for (const { digest } of Object.values(outputs)) ctx.entry.output('object', digest)
  if (input.logDigest !== null) ctx.entry.subject('object', input.logDigest)
  ctx.entry.facts({
    attempt,
    state: after.state,
    exitCode: input.exitCode,
    lost: input.lost,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest])),
    log: input.logDigest,
    usage: input.usage,
  })
  return { state: after.state }
})
