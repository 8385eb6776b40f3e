import { Alert, Code, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { PaveError } from '../../platform/errors.ts'

/** An error as Pave tells it: what happened, the way out, and the code to look up. */
export function Problem({ error }: { error: unknown }) {
  const known = error instanceof PaveError ? error : undefined
  return (
    <Alert color="red" variant="light" role="alert" title={error instanceof Error ? error.message : String(error)}>
      {known !== undefined && known.hint !== '' && <Text size="sm">{withCode(known.hint)}</Text>}
      {known?.problems.map((problem) => (
        <Text key={problem.pointer} size="sm">
          <Code>{problem.pointer}</Code> {problem.message}
        </Text>
      ))}
      {known !== undefined && (
        <Code mt={6} display="inline-block">
          {known.code}
        </Code>
      )}
    </Alert>
  )
}

/** Commands stand between backticks. */
function withCode(hint: string): ReactNode[] {
  return hint.split('`').map((part, index) => (index % 2 === 1 ? <Code key={part}>{part}</Code> : part))
}
