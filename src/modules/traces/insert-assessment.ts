import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import type { OutputOf } from '#platform/operation.ts'
import type * as contract from './contract.ts'
import { keepable, keepableJson, prefixed, tracesFailure, uuidOf } from './tables.ts'

type Assessment = OutputOf<typeof contract.createAssessment>
type Content = Omit<Assessment, 'assessment' | 'trace' | 'valid' | 'createdAt' | 'updatedAt'> & { createdAt?: string }

/** The trace exists. What the new one overrides is no longer valid. */
export async function insertAssessment(ctx: OperationContext, trace: string, content: Content): Promise<Assessment> {
  const id = ctx.ids.next()
  const now = ctx.clock.iso()
  const { createdAt = now, overrides = null } = content
  if (overrides !== null) {
    const { rows } = await sql`
      update traces.assessment set valid = false
      where id = ${uuidOf(overrides)} and trace = ${uuidOf(trace)} returning 1
    `.execute(ctx.db)
    if (rows.length === 0) {
      throw tracesFailure('assessment_not_found', `The trace ${trace} has no assessment ${overrides} to override`)
    }
  }
  await sql`
    insert into traces.assessment (workspace, id, trace, name, kind, value, error, source, rationale, metadata, span,
      overrides, valid, created_at, updated_at)
    values (${ctx.workspace}, ${id}, ${uuidOf(trace)}, ${content.name}, ${content.kind},
      ${keepableJson(content.value ?? null)}::jsonb, ${content.error == null ? null : keepableJson(content.error)}::jsonb,
      ${keepableJson(content.source)}::jsonb,
      ${content.rationale == null ? null : keepable(content.rationale)},
      ${keepableJson(content.metadata ?? {})}::jsonb, ${content.span ?? null},
      ${overrides === null ? null : uuidOf(overrides)}, true, ${createdAt}, ${now})
  `.execute(ctx.db)
  return { ...content, overrides, assessment: prefixed('a', id), trace, valid: true, createdAt, updatedAt: now }
}
