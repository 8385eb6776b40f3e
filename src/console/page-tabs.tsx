import { Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import { z } from 'zod'
import { usePageState } from './page-state.ts'

const PageState = z.object({ tab: z.string().catch('').default('') })

interface PageTabsProps {
  /** Titles by name; the first is shown when the address names none. */
  tabs: Readonly<Record<string, string>>
  /** A `Tabs.Panel` for each name. */
  children: ReactNode
}

/** Parts of a page, one at a time; which one is in the address. */
export function PageTabs({ tabs, children }: PageTabsProps) {
  const [{ tab }, change] = usePageState(PageState)
  const names = Object.keys(tabs)
  return (
    <Tabs
      value={names.includes(tab) ? tab : (names[0] ?? null)}
      onChange={(name) => change({ tab: name ?? '' }, { push: true })}
      keepMounted={false}
    >
      <Tabs.List mb="md">
        {Object.entries(tabs).map(([name, title]) => (
          <Tabs.Tab key={name} value={name}>
            {title}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {children}
    </Tabs>
  )
}
