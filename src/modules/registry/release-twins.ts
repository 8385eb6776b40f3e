import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import type { OnnxTwin } from './contract.ts'

/** Removes the twin of a version, or of all versions of a model, and lets their bytes go. */
export async function releaseTwins(ctx: OperationContext, model: string, version: number | null): Promise<void> {
  const { rows } = await sql<{ content: OnnxTwin; log_size: number }>`
    delete from registry.onnx_twin where model = ${model} and (${version}::int is null or version = ${version})
    returning content, log_size
  `.execute(ctx.db)
  const objects = rows.flatMap(({ content: { artifact, size, log }, log_size }) => [
    ...(artifact === null ? [] : [{ digest: artifact, size: size ?? 0 }]),
    ...(log === null ? [] : [{ digest: log, size: log_size }]),
  ])
  await releaseObjects(ctx, objects)
}
