import { type PointerEvent, useEffect, useRef, useState } from 'react'
import type { TrackingRun } from '../contract.ts'
import styles from './parallel-picture.module.css'
import { type Brushes, isMarked, type RunAxis } from './run-axes.ts'

interface ParallelPictureProps {
  runs: readonly TrackingRun[]
  axes: readonly RunAxis[]
  /** By which the lines are coloured. */
  colour: RunAxis | undefined
  brushes: Brushes
  onBrush: (name: string, range: readonly [number, number] | undefined) => void
  onOpen: (run: string) => void
}

const [top, bottom, height, margin] = [34, 14, 360, 70]
/** Half of what a finger or pointer finds an axis by. */
const grip = 14

/** A line for each run through a standing axis for each param and metric. A stroke along an axis marks a part of it. */
export function ParallelPicture({ runs, axes, colour, brushes, onBrush, onOpen }: ParallelPictureProps) {
  const frame = useRef<HTMLDivElement>(null)
  const picture = useRef<SVGSVGElement>(null)
  const [width, setWidth] = useState(800)
  const [pointed, setPointed] = useState<string>()
  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const resized = new ResizeObserver(() => {
      const needed = axes.length * 110
      setWidth(Math.max(element.clientWidth, needed))
      // What scrolls can be reached by keyboard.
      if (needed > element.clientWidth) element.tabIndex = 0
      else element.removeAttribute('tabindex')
    })
    resized.observe(element)
    return () => resized.disconnect()
  }, [axes.length])
  // One listener for all lines, of which there may be hundreds.
  useEffect(() => {
    const element = picture.current
    if (element === null) return
    const runAt = ({ target }: Event) => (target instanceof SVGPathElement ? target.dataset['run'] : undefined)
    const point = (event: Event) => setPointed(runAt(event))
    const open = (event: Event) => {
      const run = runAt(event)
      if (run !== undefined) onOpen(run)
    }
    element.addEventListener('pointerover', point)
    element.addEventListener('click', open)
    return () => {
      element.removeEventListener('pointerover', point)
      element.removeEventListener('click', open)
    }
  }, [onOpen])
  const span = height - top - bottom
  const xOf = (index: number) =>
    axes.length < 2 ? width / 2 : margin + (index * (width - 2 * margin)) / (axes.length - 1)
  const yOf = (place: number) => top + (1 - place) * span
  const marked = runs.filter((run) => isMarked(run, axes, brushes))
  const shown = new Set(marked.map(({ run }) => run))
  const drawn = [...runs.filter(({ run }) => !shown.has(run)), ...marked]
  const name = runs.find(({ run }) => run === pointed)?.name
  return (
    <section ref={frame} className={styles.frame} aria-label="Parallel coordinates">
      <svg
        ref={picture}
        width={width}
        height={height}
        role="img"
        aria-label={`${runs.length} runs through ${axes.map((axis) => axis.name).join(', ')}; ${marked.length} within what is marked`}
      >
        <g className={styles.lines}>
          {drawn.map((run) => (
            <path
              key={run.run}
              d={pathOf(
                axes.map((axis, index) => ({ x: xOf(index), place: axis.placeOf(run) })),
                yOf,
              )}
              data-left={!shown.has(run.run) || undefined}
              data-pointed={run.run === pointed || undefined}
              style={{ stroke: strokeOf(colour?.placeOf(run)) }}
              data-run={run.run}
            />
          ))}
        </g>
        {axes.map((axis, index) => (
          <Axis
            key={axis.name}
            axis={axis}
            x={xOf(index)}
            last={index > 0 && index === axes.length - 1}
            yOf={yOf}
            range={brushes.get(axis.name)}
            onBrush={(range) => onBrush(axis.name, range)}
          />
        ))}
      </svg>
      <div className={styles.name} aria-hidden="true">
        {name}
      </div>
    </section>
  )
}

interface AxisProps {
  axis: RunAxis
  x: number
  last: boolean
  yOf: (place: number) => number
  range: readonly [number, number] | undefined
  onBrush: (range: readonly [number, number] | undefined) => void
}

function Axis({ axis, x, last, yOf, range, onBrush }: AxisProps) {
  const [stroke, setStroke] = useState<readonly [number, number]>()
  const placeOf = (event: PointerEvent<SVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    return Math.max(0, Math.min(1, 1 - (event.clientY - box.top) / box.height))
  }
  const places = stroke ?? (range && [axis.placeAt(range[0]), axis.placeAt(range[1])])
  const [low, high] = places === undefined ? [0, 0] : [Math.min(...places), Math.max(...places)]
  const side = last ? -1 : 1
  return (
    <g>
      <text x={x} y={16} textAnchor="middle" className={styles.title}>
        <title>{axis.name}</title>
        {cut(axis.name)}
        {axis.log && ' (log)'}
      </text>
      <line x1={x} x2={x} y1={yOf(0)} y2={yOf(1)} className={styles.axis} />
      {axis.ticks.map(({ place, text }) => (
        <text
          key={place}
          x={x + side * 6}
          y={yOf(place) + 4}
          textAnchor={last ? 'end' : 'start'}
          className={styles.tick}
        >
          {cut(text)}
        </text>
      ))}
      {places !== undefined && (
        <rect x={x - 7} width={14} y={yOf(high)} height={Math.max(2, yOf(low) - yOf(high))} className={styles.marked} />
      )}
      <rect
        x={x - grip}
        width={2 * grip}
        y={yOf(1)}
        height={yOf(0) - yOf(1)}
        className={styles.grip}
        data-axis={axis.name}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          const place = placeOf(event)
          setStroke([place, place])
        }}
        onPointerMove={(event) => {
          if (stroke !== undefined) setStroke([stroke[0], placeOf(event)])
        }}
        onPointerUp={(event) => {
          if (stroke === undefined) return
          const [from, to] = [stroke[0], placeOf(event)].sort((a, b) => a - b)
          setStroke(undefined)
          if (from === undefined || to === undefined || to - from < 0.01) onBrush(undefined)
          else onBrush([axis.unitAt(from), axis.unitAt(to)])
        }}
        onPointerCancel={() => setStroke(undefined)}
      />
    </g>
  )
}

/** Broken where a run has nothing. */
function pathOf(points: readonly { x: number; place: number | undefined }[], yOf: (place: number) => number): string {
  let begun = false
  return points
    .map(({ x, place }) => {
      const command = place === undefined ? '' : `${begun ? 'L' : 'M'}${x.toFixed(1)} ${yOf(place).toFixed(1)}`
      begun = place !== undefined
      return command
    })
    .join('')
}

function strokeOf(place: number | undefined): string {
  if (place === undefined) return 'var(--shadow-traffic)'
  return `color-mix(in oklab, var(--canary-traffic) ${Math.round(place * 100)}%, var(--primary-traffic))`
}

function cut(text: string): string {
  const characters = Array.from(text)
  return characters.length <= 16 ? text : `${characters.slice(0, 15).join('')}…`
}
