import { QueryClient } from '@tanstack/react-query'
import type { z } from 'zod'
import { PaveError } from '../platform/errors.ts'
import type { AnswerOf, Operation } from '../platform/operation.ts'
import { createClient } from '../platform/surfaces/client.ts'
import { patientFetch } from './patient-fetch.ts'

declare module '@tanstack/react-query' {
  interface Register {
    queryMeta: {
      /** Kinds of ledger subjects after whose change the answer is read again. */
      about: readonly string[]
    }
    defaultError: Error
  }
}

/** Signed in by the session cookie, which the browser sends along. */
export const client = createClient({ url: window.location.origin, fetch: patientFetch })

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < 3 && error instanceof PaveError && error.status >= 500,
    },
  },
})

/**
 * The query of a reading operation. Its answer is kept until an event concerns one of the kinds in `about`; `entry`
 * stands for every ledger entry, `job` for the progress of jobs.
 */
export function read<Op extends Operation>(operation: Op, input: z.input<Op['input']>, about: readonly string[] = []) {
  return {
    queryKey: [operation.name, input],
    queryFn: ({ signal }: { signal: AbortSignal }): Promise<AnswerOf<Op>> => client.call(operation, input, { signal }),
    meta: { about },
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof PaveError && error.code === 'unauthenticated'
}
