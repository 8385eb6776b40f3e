import { useState } from 'react'
import { Instant } from '../../../console/design/instant.tsx'
import type { ServedSpan } from '../served-contract.ts'
import styles from './what-answered.module.css'
import { bandsOf, type Frame } from './what-answered-view.ts'

const colours = ['--primary-traffic', '--canary-traffic', '--good', '--shadow-traffic', '--bad']

interface BandChartProps {
  /** Oldest first. */
  spans: readonly ServedSpan[]
  frame: Frame
  at: number | undefined
  onAt(at: number): void
}

/** Who answered which share over time; the moment in question is moved with the pointer or the arrow keys. */
export function BandChart({ spans, frame, at, onAt }: BandChartProps) {
  const [held, setHeld] = useState<number>()
  const bands = bandsOf(spans, frame)
  // What answers now has the first colour, and what answered last before it the next.
  const versions = [...new Set(spans.toReversed().flatMap(({ traffic }) => traffic.map(({ version }) => version)))]
  const shown = new Set(bands.map(({ version }) => version))
  const colourOf = (version: string) => `var(${colours[versions.indexOf(version) % colours.length]})`
  const moment = held ?? at
  const commit = () => {
    if (held !== undefined) onAt(held)
    setHeld(undefined)
  }
  return (
    <>
      <div className={styles.chart}>
        {bands.map((band) => (
          <div
            key={`${band.version} ${band.variant} ${band.left}`}
            data-band
            data-variant={band.variant}
            style={{
              left: `${band.left * 100}%`,
              width: `max(2px, ${band.width * 100}%)`,
              bottom: `${band.bottom * 100}%`,
              height: `${band.height * 100}%`,
              ...(band.variant !== 'shadow' && { background: colourOf(band.version) }),
            }}
          />
        ))}
        {moment !== undefined && moment >= frame.from && moment <= frame.until && (
          <div
            className={styles.moment}
            style={{ left: `${((moment - frame.from) / (frame.until - frame.from)) * 100}%` }}
          />
        )}
        <input
          type="range"
          aria-label="Moment in question"
          aria-valuetext={moment === undefined ? 'none chosen' : new Date(moment).toLocaleString()}
          min={frame.from}
          max={frame.until}
          step={Math.max(1, Math.round((frame.until - frame.from) / 1000))}
          value={moment ?? frame.until}
          onChange={(event) => setHeld(Number(event.currentTarget.value))}
          onPointerUp={commit}
          onKeyUp={commit}
          onBlur={commit}
        />
      </div>
      <div className={styles.ends}>
        <Instant at={new Date(frame.from).toISOString()} />
        <Instant at={new Date(frame.until).toISOString()} />
      </div>
      <ul className={styles.legend}>
        {versions
          .filter((version) => shown.has(version))
          .map((version) => (
            <li key={version}>
              <span style={{ background: colourOf(version) }} />
              {version}
            </li>
          ))}
        {bands.some(({ variant }) => variant === 'shadow') && <li>Hatched: another got copies, and answered nobody</li>}
      </ul>
    </>
  )
}
