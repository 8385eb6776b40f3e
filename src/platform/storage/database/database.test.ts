import { connect, createServer, type Socket } from 'node:net'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from '#testing/postgres.ts'
import { openKysely, openPool } from './database.ts'

const database = await createTestDatabase()
afterAll(() => database.drop())

test.each([false, true])(
  'a session whose server went without a word is given up, and the next question gets another',
  async (pipeline) => {
    const { host, port, database: name = '', user = '' } = new pg.Client(database.url)
    const wires: Socket[] = []
    let dead: readonly Socket[] = []
    const proxy = createServer((near) => {
      const far = connect(`${host}/.s.PGSQL.${port}`)
      wires.push(near, far)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => {})
        from.on('data', (bytes) => {
          if (!dead.includes(from)) to.write(bytes)
        })
      }
    })
    await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve))
    const address = proxy.address()
    const url = `postgresql://${user}@127.0.0.1:${typeof address === 'object' ? address?.port : ''}/${name}`
    const db = openKysely(openPool(url, undefined, { max: 1, onError() {}, answerWithinMs: 200, pipeline }))
    const ask = () => sql<{ answer: number }>`select 1 as answer`.execute(db).then(({ rows }) => rows[0]?.answer)
    expect(await ask()).toBe(1)
    dead = [...wires]
    await expect(ask()).rejects.toThrow(/timeout|terminated/)
    expect(await ask()).toBe(1)
    await db.destroy()
    for (const wire of wires) wire.destroy()
    proxy.close()
  },
)
