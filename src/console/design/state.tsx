import type { ReactNode } from 'react'
import styles from './state.module.css'

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'idle'

/** How something is: a dot in the colour of it, and the word that says the same. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={styles.state} data-tone={tone}>
      {children}
    </span>
  )
}
