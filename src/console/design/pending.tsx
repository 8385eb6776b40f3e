import { Skeleton } from '@mantine/core'
import { Problem } from './problem.tsx'

interface PendingProps {
  data: unknown
  error: unknown
  /** Of the outline, about what the content will take. */
  height?: number
}

/** Stands for what is still being read, and says why it could not be. */
export function Pending({ data, error, height = 300 }: PendingProps) {
  if (error !== null) return <Problem error={error} />
  return data === undefined ? <Skeleton height={height} radius="lg" /> : null
}
