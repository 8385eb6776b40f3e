import { Anchor, Box, Button, Group, Switch, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { client } from '../../../console/api.ts'
import { bytes } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { readStepLog } from '../contract.ts'
import { appendTo, beginLog, findInLog, type Log, prependTo } from './log-view.ts'
import styles from './step-log.module.css'

const pageBytes = 256 * 1024
const lineHeight = 18
const followMs = 1_000

interface StepLogProps {
  run: string
  step: string
  /** Another attempt prints another log. */
  attempt: number
  running: boolean
  digest: string | null
}

/** What a step printed, from its end; more comes while it runs, and what came before when it is asked for. */
export function StepLog({ run, step, attempt, running, digest }: StepLogProps) {
  const [log, setLog] = useState<Log>()
  const [search, setSearch] = useState('')
  const [found, setFound] = useState(0)
  const [following, setFollowing] = useState(running)
  const [loading, setLoading] = useState(false)
  const [trouble, setTrouble] = useState<Error>()
  const followed = useRef<Log>(undefined)
  const keep = (next: Log) => {
    followed.current = next
    setLog(next)
  }
  const reading = useQuery({
    queryKey: [readStepLog.name, run, step, attempt],
    meta: { about: ['step'] },
    queryFn: async ({ signal }) => {
      for (;;) {
        const before = followed.current
        const range = before === undefined ? { tail: true } : { offset: before.to }
        const page = await client.call(readStepLog, { run, step, limit: pageBytes, ...range }, { signal })
        keep(before === undefined ? beginLog(page) : appendTo(before, page))
        if (page.complete || page.next >= page.size) return { size: page.size, complete: page.complete }
      }
    },
    refetchInterval: ({ state }) => (state.data?.complete === true ? false : followMs),
    staleTime: 0,
  })
  const earlier = async () => {
    if (log === undefined) return
    setLoading(true)
    setTrouble(undefined)
    try {
      const offset = Math.max(0, log.from - 4 * pageBytes)
      const page = await client.call(readStepLog, { run, step, offset, limit: Math.max(16, log.from - offset) })
      const bytesBefore = log.from - page.offset
      if (bytesBefore > 0) keep(prependTo(log, page))
    } catch (error) {
      setTrouble(error instanceof Error ? error : new Error(String(error)))
    } finally {
      setLoading(false)
    }
  }
  const hits = useMemo(() => (log === undefined ? [] : findInLog(log, search)), [log, search])
  const hit = hits[found % Math.max(1, hits.length)]
  return (
    <div>
      <Group gap="sm" mb="xs">
        <TextInput
          type="search"
          size="xs"
          aria-label="Search in the log"
          placeholder="Search in the log"
          value={search}
          onChange={(event) => {
            setSearch(event.currentTarget.value)
            setFound(0)
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') setFound(found + (event.shiftKey ? hits.length - 1 : 1))
          }}
        />
        {search !== '' && (
          <Text size="sm" c="dimmed" role="status">
            {hits.length === 0 ? 'not found' : `line ${(found % hits.length) + 1} of ${hits.length} with it`}
            {log !== undefined && log.from > 0 && ', in what is loaded'}
          </Text>
        )}
        {hits.length > 1 && (
          <Button size="compact-xs" variant="default" onClick={() => setFound(found + 1)}>
            Next
          </Button>
        )}
        <Switch
          size="xs"
          label="Follow"
          checked={following}
          onChange={(event) => setFollowing(event.currentTarget.checked)}
        />
        {log !== undefined && log.from > 0 && (
          <Button size="compact-xs" variant="default" loading={loading} onClick={() => void earlier()}>
            Load earlier, {bytes(log.from)} more
          </Button>
        )}
        <Text size="sm" c="dimmed" ml="auto">
          {reading.data !== undefined && bytes(reading.data.size)}{' '}
          {digest !== null && (
            <Anchor inherit href={`/api/v1/objects/${digest}`} download={`${step}-${run}.log`}>
              Download
            </Anchor>
          )}
        </Text>
      </Group>
      {(reading.error ?? trouble) && <Problem error={reading.error ?? trouble} />}
      {log !== undefined && <Lines log={log} following={following && search === ''} marked={hits} shown={hit} />}
      {log !== undefined && log.to === 0 && (
        <Text size="sm" c="dimmed">
          {running ? 'Nothing is printed yet.' : 'It printed nothing.'}
        </Text>
      )}
    </div>
  )
}

interface LinesProps {
  log: Log
  following: boolean
  marked: readonly number[]
  /** The line to have in view. */
  shown: number | undefined
}

/** Only the lines in view are in the page: a log may have hundreds of thousands. */
function Lines({ log: { lines }, following, marked, shown }: LinesProps) {
  const frame = useRef<HTMLElement>(null)
  const [top, setTop] = useState(0)
  const [visible, setVisible] = useState(30)
  const marks = useMemo(() => new Set(marked), [marked])
  const begun = useRef(false)
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length
  useEffect(() => {
    const element = frame.current
    if (element === null) return
    setVisible(Math.ceil(element.clientHeight / lineHeight) + 1)
    if (following || !begun.current) element.scrollTop = count * lineHeight
    begun.current = true
  }, [following, count])
  useEffect(() => {
    if (shown !== undefined && frame.current !== null) frame.current.scrollTop = (shown - 5) * lineHeight
  }, [shown])
  const first = Math.max(0, Math.floor(top / lineHeight) - 20)
  const numbered = lines
    .slice(first, Math.min(count, first + visible + 40))
    .map((line, index) => ({ number: first + index, line }))
  if (count === 0) return null
  return (
    <Box
      component="section"
      ref={frame}
      className={styles.frame}
      aria-label="Log"
      tabIndex={0}
      style={{ height: Math.min(27, Math.max(2, count + 1)) * lineHeight }}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <div style={{ height: count * lineHeight, position: 'relative' }}>
        <pre className={styles.lines} style={{ top: first * lineHeight }}>
          {numbered.map(({ number, line }) => (
            <div key={number} data-marked={marks.has(number) || undefined} data-shown={shown === number || undefined}>
              {line === '' ? ' ' : line}
            </div>
          ))}
        </pre>
      </div>
    </Box>
  )
}
