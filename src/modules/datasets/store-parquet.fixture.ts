import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { recordObject } from '#platform/kernel/contract.ts'
import type { TestPlatform } from '#testing/platform.ts'

/** Uploads the rows of a SELECT as Parquet, or other bytes in their place. */
export async function storeParquet(test: TestPlatform, select: string, bytes?: string) {
  const { objects, analytics } = test.platform.services
  const path = join(test.dataDir, 'scratch', `${test.platform.ids.next()}.parquet`)
  if (bytes === undefined) await analytics.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  const stored = await objects.put(bytes ?? createReadStream(path))
  await test.run(recordObject, stored)
  return stored
}
