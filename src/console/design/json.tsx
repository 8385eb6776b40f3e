import { Code } from '@mantine/core'

/** A value as it is stored, for those who want to see all of it. */
export function Json({ label, value }: { label: string; value: unknown }) {
  return (
    <Code block tabIndex={0} role="region" aria-label={label} style={{ maxHeight: '24rem', whiteSpace: 'pre-wrap' }}>
      {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
    </Code>
  )
}
