import { Anchor, Badge, Code, Group, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { count } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { getSpan, type Span } from '../contract.ts'
import { nanoseconds } from './trace-state.ts'

const inputs = 'mlflow.spanInputs'
const outputs = 'mlflow.spanOutputs'
/** What the page shows elsewhere, or keeps for itself. */
const shownElsewhere = new Set([inputs, outputs, 'mlflow.spanType', 'mlflow.traceRequestId', 'mlflow.chat.tokenUsage'])

/** All that one span holds, as text and nothing but text. */
export function SpanDetails({ trace, span }: { trace: string; span: string }) {
  const { data, error } = useQuery({
    ...read(getSpan, { trace, span }, ['trace']),
    placeholderData: (before) => before,
  })
  if (error !== null) return <Problem error={error} />
  if (data === undefined) return <Skeleton height={240} radius="md" aria-label="Loading the span" />
  const attributes = attributesOf(data.attributes)
  const at = (key: string) => (Object.hasOwn(attributes, key) ? attributes[key] : undefined)
  const others = Object.entries(attributes).filter(([key]) => !shownElsewhere.has(key))
  return (
    <Section
      title={data.name || '(no name)'}
      aside={
        <State tone={data.status === 'error' ? 'bad' : data.status === 'ok' ? 'good' : 'idle'}>{data.status}</State>
      }
    >
      <Stack gap="md">
        <SpanFacts span={data} usage={at('mlflow.chat.tokenUsage')} type={at('mlflow.spanType')} />
        {data.message !== '' && (
          <Text size="sm" style={{ color: 'var(--bad)', overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
            {data.message}
          </Text>
        )}
        {at(inputs) !== undefined && <Value title="Inputs" value={at(inputs)} />}
        {at(outputs) !== undefined && <Value title="Outputs" value={at(outputs)} />}
        {others.length > 0 && <Value title="Attributes" value={Object.fromEntries(others)} />}
        {data.events.map((event, index) => (
          <Value
            key={`${event.time} ${event.name} ${String(index)}`}
            title={`Event: ${event.name} after ${nanoseconds(Number(BigInt(event.time) - BigInt(data.start)))}`}
            value={attributesOf(event.attributes)}
          />
        ))}
        <Links span={data} />
      </Stack>
    </Section>
  )
}

function SpanFacts({ span, usage, type }: { span: Span; usage: unknown; type: unknown }) {
  const tokens = Object.entries(Object(usage)).filter(([, value]) => typeof value === 'number')
  return (
    <Facts
      of={{
        Type: typeof type === 'string' ? type.toLowerCase().replaceAll('_', ' ') : undefined,
        Took: span.end === null ? 'still running' : nanoseconds(Number(BigInt(span.end) - BigInt(span.start))),
        Started: startOf(span.start),
        Tokens:
          tokens.length === 0 ? undefined : (
            <Group gap={6}>
              {tokens.map(([name, value]) => (
                <Badge key={name} color="gray">
                  {name.replace(/_tokens$/, '').replaceAll('_', ' ')} {count(Number(value))}
                </Badge>
              ))}
            </Group>
          ),
        Span: <Code>{span.span}</Code>,
      }}
    />
  )
}

/** What is longer is shown when it is asked for. */
const longest = 20_000

function Value({ title, value }: { title: string; value: unknown }) {
  const [whole, showWhole] = useState(false)
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  const cut = !whole && text.length > longest
  return (
    <div>
      <Text size="sm" fw={600} mb={4} style={{ overflowWrap: 'anywhere' }}>
        {title}
      </Text>
      <Code
        block
        tabIndex={0}
        role="region"
        aria-label={title}
        style={{ maxHeight: '22rem', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
      >
        {cut ? `${text.slice(0, longest)}…` : text}
      </Code>
      {cut && (
        <Anchor component="button" size="sm" onClick={() => showWhole(true)}>
          Show all {count(text.length)} characters
        </Anchor>
      )}
    </div>
  )
}

function Links({ span: { links } }: { span: Span }) {
  if (links.length === 0) return null
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        Links
      </Text>
      {links.map((link) => (
        <Text key={`${link.trace} ${link.span}`} size="sm" style={{ overflowWrap: 'anywhere' }}>
          <Anchor
            inherit
            renderRoot={(props) => (
              <Link
                {...props}
                to="/traces/$trace"
                params={{ trace: `tr-${link.trace}` }}
                search={{ span: link.span }}
              />
            )}
          >
            tr-{link.trace}
          </Anchor>
        </Text>
      ))}
    </div>
  )
}

function attributesOf(text: string): Record<string, unknown> {
  return JSON.parse(text)
}

function startOf(nanos: string): string {
  const time = Number(BigInt(nanos) / 1_000_000n)
  return time > 8.64e15 ? nanos : new Date(time).toISOString().replace('T', ' ').replace('Z', ' UTC')
}
