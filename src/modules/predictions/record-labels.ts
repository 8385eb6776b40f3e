import { join } from 'node:path'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { filesDirectory, type LabelLine, writeDurably } from './files.ts'
import { insertFiles } from './tables.ts'

/** Labels are appended, never changed: which one holds is decided when they are joined to predictions. */
export const recordLabels = handle(contract.recordLabels, async (ctx, { environment, endpoint, labels }) => {
  const latest = new Map<string, LabelLine>()
  for (const { id, row, value, at } of labels) {
    const line = { environment, endpoint, id, row, value, at: new Date(at).toISOString(), batch: ctx.operationId }
    const key = `${row} ${id}`
    const before = latest.get(key)
    if (before === undefined || before.at <= line.at) latest.set(key, line)
  }
  const lines = [...latest.values()]
  const path = join(ctx.workspace, 'labels', `${ctx.operationId}.ndjson`)
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  await writeDurably(join(filesDirectory(ctx.services), path), text, ctx.operationId)
  const times = lines.map((line) => line.at).sort()
  const firstAt = times.at(0) ?? ''
  const lastAt = times.at(-1) ?? ''
  const file: contract.StoredFile = {
    kind: 'label',
    format: 'ndjson',
    path,
    endpoints: [`${environment}/${endpoint}`],
    rows: lines.length,
    firstAt,
    lastAt,
  }
  await insertFiles(ctx.db, ctx.workspace, [{ ...file, id: ctx.operationId }], ctx.clock.iso())
  ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
  ctx.entry.facts({ labels: labels.length, firstAt, lastAt })
  return { accepted: labels.length }
})
