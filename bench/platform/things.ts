import { sql } from 'kysely'
import { z } from 'zod'
import { handle } from '#platform/context.ts'
import { defineModule } from '#platform/module.ts'
import { operation } from '#platform/operation.ts'
import { tenantTable } from '#platform/storage/database/database.ts'

/** The plainest write that an operation can be: one row in a tenant's table. */
export const addThing = operation({
  name: 'add-thing',
  method: 'POST',
  path: '/api/v1/things',
  summary: 'Add a thing',
  effect: 'write',
  permission: { verb: 'thing:add', on: ['thing'] },
  errors: [],
  input: z.object({ thing: z.string().max(100), weight: z.number(), tags: z.array(z.string().max(50)).max(20) }),
  output: z.object({ id: z.uuid(), thing: z.string(), at: z.iso.datetime() }),
})

export const things = defineModule({
  name: 'things',
  handlers: [
    handle(addThing, async (ctx, { thing, weight, tags }) => {
      const id = ctx.ids.next()
      const at = ctx.clock.iso()
      await sql`
        insert into things.thing (workspace, id, thing, weight, tags, at)
        values (${ctx.workspace}, ${id}, ${thing}, ${weight}, ${JSON.stringify(tags)}::jsonb, ${at})
      `.execute(ctx.db)
      ctx.entry.subject('thing', id)
      return { id, thing, at }
    }),
  ],
  migrations: {
    '0001-create-things': {
      async up(db) {
        for (const table of ['thing', 'bare_thing']) {
          await sql`
            create table things.${sql.ref(table)} (
              workspace uuid not null, id uuid not null, thing text not null, weight double precision not null,
              tags jsonb not null, at timestamptz not null, primary key (workspace, id)
            )
          `.execute(db)
        }
        await tenantTable(db, 'things.thing')
        await sql`grant insert on things.bare_thing to pave_app`.execute(db)
      },
    },
  },
})
