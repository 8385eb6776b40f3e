import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { insertFiles, predictionsFailure } from './tables.ts'

/** Readers see the old files or the new ones, never both and never neither. */
export const replacePredictionFiles = handle(contract.replacePredictionFiles, async (ctx, { retire, add, forget }) => {
  const { rows } = await sql`
    update predictions.file set retired_at = ${ctx.clock.iso()}
    where id = any(${retire}::uuid[]) and retired_at is null returning id
  `.execute(ctx.db)
  if (rows.length !== retire.length) {
    throw predictionsFailure(
      'files_changed',
      `${retire.length - rows.length} of ${retire.length} files were replaced before`,
    )
  }
  await insertFiles(
    ctx.db,
    ctx.workspace,
    add.map((file) => ({ ...file, id: ctx.ids.next() })),
    ctx.clock.iso(),
  )
  await sql`
    delete from predictions.file where id = any(${forget}::uuid[]) and retired_at is not null
  `.execute(ctx.db)
  const endpoints = [...new Set(add.flatMap((file) => file.endpoints))]
  for (const endpoint of endpoints) ctx.entry.subject('endpoint', endpoint)
  ctx.entry.facts({ retired: retire.length, added: add.length, rows: add.reduce((sum, file) => sum + file.rows, 0) })
  return { retired: retire.length, added: add.length }
})
