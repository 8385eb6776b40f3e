import type { InputOf, Operation, OutputOf } from './operation.ts'
import type { Handler, OperationContext } from './platform.ts'

export type { Handler, OperationContext } from './platform.ts'

/** Joins a declaration to its handler. */
export function handle<Op extends Operation>(
  operation: Op,
  run: (ctx: OperationContext, input: InputOf<Op>) => Promise<OutputOf<Op>>,
  options: Pick<Handler<Op>, 'wait'> = {},
): Handler<Op> {
  return { operation, run, ...options }
}
