import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { z } from 'zod'
import { handle } from './context.ts'
import { defineErrors, failure } from './errors.ts'
import { type Admission, defineModule } from './module.ts'
import { operation } from './operation.ts'
import { tenantTable } from './storage/database/database.ts'

const errors = defineErrors({
  note_refused: { status: 409, summary: 'The note was refused.', hint: 'Write another one.' },
})
const probeFailure = failure(errors)

/** How the handler of `write-note` ends after it wrote its row. */
const Ending = z.enum(['well', 'refused', 'broken', 'aborted', 'undeclared', 'nested', 'caught'])

export const writeNote = operation({
  name: 'write-note',
  method: 'POST',
  path: '/api/v1/probe/shelves/:shelf/notes',
  summary: 'Write a note',
  effect: 'write',
  permission: { verb: 'note:write', on: ['shelf'] },
  errors: ['note_refused'],
  secrets: ['secret'],
  input: z.object({
    shelf: z.string().max(20),
    text: z.string().max(40),
    count: z.int().min(0).default(0),
    ending: Ending.default('well'),
  }),
  output: z.object({ id: z.uuid(), text: z.string(), secret: z.string() }),
})

export const guardedNote = operation({
  name: 'guarded-note',
  method: 'POST',
  path: '/api/v1/probe/guarded-notes',
  summary: 'Write a note that somebody must approve',
  effect: 'write',
  permission: { verb: 'note:write', on: ['shelf'] },
  admission: 'note.write',
  errors: [],
  secrets: ['secret'],
  input: z.object({ shelf: z.string().max(20), text: z.string().max(40) }),
  output: z.object({ id: z.uuid(), text: z.string(), secret: z.string() }),
})

/** Calls `guarded-note` from within. */
export const wrapNote = operation({
  name: 'wrap-note',
  method: 'POST',
  path: '/api/v1/probe/wrapped-notes',
  summary: 'Write a guarded note through another operation',
  effect: 'write',
  permission: { verb: 'note:write', on: ['shelf'] },
  errors: [],
  input: z.object({ shelf: z.string(), text: z.string() }),
  output: z.object({ id: z.uuid() }),
})

const NoteSpec = z.strictObject({
  text: z.string().max(40),
  colour: z.string().default('white'),
  file: z.object({ digest: z.string(), size: z.int() }).optional(),
})

export const putNote = operation({
  name: 'put-note',
  method: 'PUT',
  path: '/api/v1/probe/shelves/:shelf/named/:note',
  summary: 'Put a named note',
  effect: 'write',
  permission: { verb: 'note:put', on: ['shelf'] },
  manifest: { kind: 'Note', read: 'get-note' },
  errors: [],
  input: z.object({ shelf: z.string(), note: z.string(), spec: NoteSpec }),
  output: z.object({ shelf: z.string(), note: z.string(), spec: NoteSpec }),
})

export const getNote = operation({
  name: 'get-note',
  method: 'GET',
  path: '/api/v1/probe/shelves/:shelf/named/:note',
  summary: 'Read a named note',
  effect: 'read',
  permission: { verb: 'note:read', on: ['shelf'] },
  errors: [],
  input: z.object({ shelf: z.string(), note: z.string() }),
  output: z.object({ shelf: z.string(), note: z.string(), spec: NoteSpec }),
})

/** What a test sets before it calls: the only admission point of the module asks here. */
export const gate: { verdict: Admission; committed: string[] } = { verdict: { verdict: 'allow' }, committed: [] }

const write = handle(writeNote, async (ctx, { shelf, text, ending }) => {
  const id = ctx.ids.next()
  await sql`insert into probe.note (workspace, id, text) values (${ctx.workspace}, ${id}, ${text})`.execute(ctx.db)
  ctx.afterCommit(() => void gate.committed.push(text))
  ctx.entry.subject('note', id)
  if (ending === 'refused') throw probeFailure('note_refused', `The note ${text} is refused`)
  if (ending === 'broken') throw new Error('a defect')
  if (ending === 'aborted') await sql`select 1 / 0`.execute(ctx.db).catch(() => {})
  if (ending === 'nested') await ctx.call(writeNote, { shelf, text: `${text} inside` })
  if (ending === 'caught')
    await ctx.call(writeNote, { shelf, text: `${text} inside`, ending: 'refused' }).catch(() => {})
  const note = { id, text, secret: `secret of ${id}`, undeclared: 'never told' }
  return ending === 'undeclared' ? Object.assign(note, { id: 'not a uuid' }) : note
})

const guarded = handle(guardedNote, async (ctx, { text }) => {
  const id = ctx.ids.next()
  await sql`insert into probe.note (workspace, id, text) values (${ctx.workspace}, ${id}, ${text})`.execute(ctx.db)
  return { id, text, secret: 'guarded secret' }
})

const wrap = handle(wrapNote, async (ctx, input) => ({ id: (await ctx.call(guardedNote, input)).id }))

const put = handle(putNote, async (ctx, { shelf, note, spec }) => {
  const { rows } = await sql<{ spec: z.infer<typeof NoteSpec> }>`
    select spec from probe.named_note where shelf = ${shelf} and name = ${note} for update
  `.execute(ctx.db)
  ctx.requireMatch(rows[0]?.spec)
  await sql`
    insert into probe.named_note (workspace, shelf, name, spec)
    values (${ctx.workspace}, ${shelf}, ${note}, ${JSON.stringify(spec)}::jsonb)
    on conflict (workspace, shelf, name) do update set spec = excluded.spec
  `.execute(ctx.db)
  return { shelf, note, spec }
})

const get = handle(getNote, async (ctx, { shelf, note }) => {
  const { rows } = await sql<{ spec: z.infer<typeof NoteSpec> }>`
    select spec from probe.named_note where shelf = ${shelf} and name = ${note}
  `.execute(ctx.db)
  if (rows[0] === undefined)
    throw failure({ note_not_found: { status: 404, summary: '', hint: '' } })('note_not_found', 'none')
  return { shelf, note, spec: rows[0].spec }
})

const createProbe: Migration = {
  async up(db) {
    await sql`create table probe.note (workspace uuid not null, id uuid not null, text text not null, primary key (workspace, id))`.execute(
      db,
    )
    await sql`
      create table probe.named_note (workspace uuid not null, shelf text not null, name text not null, spec jsonb not null,
        primary key (workspace, shelf, name))
    `.execute(db)
    await tenantTable(db, 'probe.note')
    await tenantTable(db, 'probe.named_note')
  },
}

/** A module of the kernel's tests: notes that end as they are told. */
export const probe = defineModule({
  name: 'probe',
  handlers: [write, guarded, wrap, put, get],
  errors,
  migrations: { '0001-create-probe': createProbe },
  admissions: { 'note.write': async () => gate.verdict },
})
