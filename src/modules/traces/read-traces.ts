import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { readWholeSpans } from './read-chunks.ts'
import { describeTraces, findTraces, uuidOf } from './tables.ts'

export const readTraces = handle(contract.readTraces, async (ctx, { traces, experiments, spans }) => {
  const found = await findTraces(ctx.db, traces)
  const wanted = found.filter((row) => experiments === undefined || experiments.includes(String(row.experiment)))
  const ids = wanted.map((row) => row.id)
  const content = spans ? await readWholeSpans(ctx.db, ids) : new Map<string, contract.Span[]>()
  const described = await describeTraces(ctx.db, wanted)
  return { traces: described.map((trace) => ({ ...trace, content: content.get(uuidOf(trace.trace)) ?? [] })) }
})
