import type { z } from 'zod'
import type { JobDefinition } from './platform.ts'

export type { JobContext, JobDefinition } from './platform.ts'

export function defineJob<I extends z.ZodType>(definition: JobDefinition<I>): JobDefinition<I> {
  return definition
}
