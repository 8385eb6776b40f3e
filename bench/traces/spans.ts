// Requests of `POST /v1/traces` as an exporter sends them: an application that answers a question in eight steps.

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
const delimited = (field: number, content: Uint8Array) =>
  Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
const text = (field: number, content: string) => delimited(field, Buffer.from(content))
const attribute = (key: string, value: string) =>
  delimited(9, Buffer.concat([text(1, key), delimited(2, text(1, value))]))

function time(field: number, nanos: bigint): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt8(field * 8 + 1)
  bytes.writeBigUInt64LE(nanos, 1)
  return bytes
}

const stepsOfTrace = 8
const types = ['CHAIN', 'RETRIEVER', 'RERANKER', 'PARSER', 'CHAT_MODEL', 'TOOL', 'CHAT_MODEL', 'GUARDRAIL']
const filler = 'The flight is late because of a storm over the mountains, which will pass within the hour. '
const traceId = Buffer.alloc(16, 0xab)

/** A request, whose trace ids are at these places. */
export interface Template {
  body: Buffer
  traceIds: readonly { at: number; trace: number }[]
}

/** About 1 kB for each span; the steps of each trace begin `from` the first, or later. */
export function template(spans: number, { traces = Math.ceil(spans / stepsOfTrace), from = 0 } = {}): Template {
  const perTrace = Math.ceil(spans / traces)
  const began = 1_700_000_000_000_000_000n
  const list = Array.from({ length: spans }, (_, index) => {
    const step = from + (index % perTrace)
    const id = Buffer.alloc(8)
    id.writeBigUInt64BE(BigInt(step + 1))
    const parent = Buffer.alloc(8)
    parent.writeBigUInt64BE(BigInt(Math.floor((step - 1) / stepsOfTrace) + 1))
    return delimited(
      2,
      Buffer.concat([
        delimited(1, traceId),
        delimited(2, id),
        ...(step === 0 ? [] : [delimited(4, parent)]),
        text(5, `step ${step % 40}`),
        time(7, began + BigInt(step) * 1_000_000n),
        time(8, began + BigInt(step) * 1_000_000n + 5_000_000n),
        attribute('mlflow.spanType', types[step % types.length] ?? 'CHAIN'),
        attribute('mlflow.spanInputs', JSON.stringify({ question: `${index}: ${filler.repeat(3)}` })),
        attribute('mlflow.spanOutputs', JSON.stringify({ answer: `${filler.repeat(5)}${index * 7919}` })),
        attribute('model', 'tiny-1'),
        attribute('http.status_code', '200'),
      ]),
    )
  })
  const body = delimited(1, delimited(2, Buffer.concat(list)))
  const traceIds: { at: number; trace: number }[] = []
  for (let at = body.indexOf(traceId); at >= 0; at = body.indexOf(traceId, at + traceId.length)) {
    traceIds.push({ at, trace: Math.floor(traceIds.length / perTrace) })
  }
  return { body, traceIds }
}

/** The same spans in other traces. */
export function inTraces({ body, traceIds }: Template, first: number): Buffer {
  const copy = Buffer.from(body)
  for (const { at, trace } of traceIds) copy.writeUIntBE(first + trace + 1, at + 10, 6)
  return copy
}

export const idOf = (trace: number): string => {
  const id = Buffer.from(traceId)
  id.writeUIntBE(trace + 1, 10, 6)
  return `tr-${id.toString('hex')}`
}
