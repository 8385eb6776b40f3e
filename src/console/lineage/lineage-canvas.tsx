import { useMediaQuery } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { shortened } from '../design/format.ts'
import { layoutGraph } from '../design/graph-layout.ts'
import { targetOf } from '../subject-link.tsx'
import styles from './lineage.module.css'
import { type Edge, keyOf, type Thing } from './lineage-view.ts'

const box = { width: 164, height: 46 }

/** The picture itself: what things were made from at the left, what came of them at the right. */
export function LineageCanvas(props: { centre: string; things: readonly Thing[]; edges: readonly Edge[] }) {
  const { centre, things, edges } = props
  const narrow = useMediaQuery('(max-width: 40em)')
  const placed = useMemo(
    () =>
      layoutGraph({
        nodes: things.map(keyOf),
        edges: edges.map(({ from, to }) => ({ from: keyOf(from), to: keyOf(to) })),
        box,
        direction: narrow === true ? 'TB' : 'LR',
      }),
    [things, edges, narrow],
  )
  return (
    <section className={styles.frame} aria-label="Lineage graph">
      <div className={styles.canvas} style={{ width: placed.width, height: placed.height }}>
        <svg width={placed.width} height={placed.height} aria-hidden="true">
          <defs>
            <marker
              id="lineage-arrow"
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8z" className={styles.head} />
            </marker>
          </defs>
          {placed.edges.map(({ key, path }) => (
            <path key={key} d={path} className={styles.edge} markerEnd="url(#lineage-arrow)" />
          ))}
        </svg>
        {things.map((thing) => {
          const at = placed.places.get(keyOf(thing))
          const place = { left: (at?.x ?? 0) - box.width / 2, top: (at?.y ?? 0) - box.height / 2, ...box }
          return <Box key={keyOf(thing)} thing={thing} place={place} isCentre={keyOf(thing) === centre} />
        })}
      </div>
    </section>
  )
}

function Box({ thing, place, isCentre }: { thing: Thing; place: object; isCentre: boolean }) {
  const name = keyOf(thing)
  const label = shortened(thing.id)
  const target = targetOf(thing.kind, thing.id)
  const around = { to: '/lineage/$object', params: { object: name } } as const
  return (
    <div className={styles.thing} data-centre={isCentre || undefined} style={place} title={name}>
      <span className={styles.kind}>
        {thing.kind}
        {!isCentre && target !== undefined && (
          <Link
            {...around}
            className={styles.around}
            aria-label={`Lineage of ${thing.kind} ${label}`}
            title="Its lineage"
          >
            ⇄
          </Link>
        )}
      </span>
      {isCentre && target === undefined ? (
        <strong>{label}</strong>
      ) : (
        <Link {...(target ?? around)} aria-label={`${thing.kind} ${label}`}>
          {label}
        </Link>
      )}
    </div>
  )
}
