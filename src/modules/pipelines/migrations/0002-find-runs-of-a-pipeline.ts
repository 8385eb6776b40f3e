import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

export const findRunsOfAPipeline: Migration = {
  async up(db) {
    await sql`
      create index run_of_pipeline on pipelines.run (workspace, pipeline, created_at desc, id desc)
    `.execute(db)
  },
}
