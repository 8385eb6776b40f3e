import { Text } from '@mantine/core'
import { percentOfBasisPoints } from '../../../console/design/format.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Endpoint } from '../contract.ts'
import type { Traffic } from './release-view.ts'
import styles from './traffic-bar.module.css'

/** The same without words, for a row of a table that says them. */
export function TrafficStrip({ traffic }: { traffic: Endpoint['traffic'] }) {
  return (
    <div className={styles.strip} aria-hidden="true">
      {traffic
        .filter(({ weight }) => weight > 0)
        .map(({ version, variant, weight }) => (
          <div key={version} data-variant={variant} style={{ flexGrow: weight }} />
        ))}
    </div>
  )
}

/** Who answers which share of the requests; a shadow, which answers nobody, has a bar of its own. */
export function TrafficBar({ traffic: { answering, shadows } }: { traffic: Traffic }) {
  if (answering.length === 0) return <Text c="dimmed">No version serves it yet.</Text>
  return (
    <div>
      <div className={styles.bar} aria-hidden="true">
        {answering.map(({ version, variant, weight }) => (
          <div key={version} data-variant={variant} style={{ flexGrow: weight }} />
        ))}
      </div>
      {shadows.map(({ version, sample }) => (
        <div key={version} className={styles.shadow} aria-hidden="true" style={{ width: `${sample / 100}%` }} />
      ))}
      <ul className={styles.legend}>
        {answering.map(({ version, variant, weight }) => (
          <li key={version} data-variant={variant}>
            {variant}{' '}
            <strong>
              <SubjectLink kind="version" id={version} bare />
            </strong>{' '}
            {percentOfBasisPoints(weight)}
          </li>
        ))}
        {shadows.map(({ version, sample }) => (
          <li key={version} data-variant="shadow">
            shadow{' '}
            <strong>
              <SubjectLink kind="version" id={version} bare />
            </strong>{' '}
            copies of {percentOfBasisPoints(sample)}
          </li>
        ))}
      </ul>
    </div>
  )
}
