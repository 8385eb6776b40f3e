import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

/** Words that lead to the ledger entry that proves them. */
export function EntryLink({ entry, children }: { entry: string; children: ReactNode }) {
  return (
    <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry }} />}>
      {children}
    </Anchor>
  )
}
