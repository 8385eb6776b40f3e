import pg from 'pg'
import { migrate } from '../storage/database/migrate.ts'

let n = 0
export async function createTestDatabase() {
  const name = `t_${process.pid}_${n++}`
  const base = 'postgresql://postgres@/postgres?host=/tmp/pave/ledger/pg'
  const c = new pg.Client({ connectionString: base })
  await c.connect()
  await c.query(`create database ${name}`)
  await c.end()
  const url = `postgresql://postgres@/${name}?host=/tmp/pave/ledger/pg`
  await migrate(url, [])
  return {
    url,
    async drop() {
      const c = new pg.Client({ connectionString: base })
      await c.connect()
      await c.query(`drop database ${name} with (force)`)
      await c.end()
    },
  }
}
