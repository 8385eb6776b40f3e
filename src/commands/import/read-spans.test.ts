import { describe, expect, it } from 'vitest'
import { attachmentsOf, readStoredSpan, readWireSpans } from './read-spans.ts'

const stored = {
  trace_id: 'C6Ks766sure26hrRpps0tg==',
  ...{ name: 'answer', start_time_unix_nano: 1, end_time_unix_nano: 2, events: [], links: [] },
  ...{ status: { code: 'STATUS_CODE_OK', message: '' }, attributes: {} },
}

describe('ids of stored spans', () => {
  it.each([
    ['28ySD9TluyA=', 'dbcc920fd4e5bb20'],
    // Base64 may begin as a hexadecimal number does.
    ['0xAbCdEfGhI=', 'd3101b09d11f1a12'],
    ['0x1f', '000000000000001f'],
    ['00000000000000ab', '00000000000000ab'],
  ])('%s is %s', (span_id, id) => {
    expect(readStoredSpan(JSON.stringify({ ...stored, span_id }))).toMatchObject({ span: id, parent: null })
    expect(id).toMatch(/^[0-9a-f]{16}$/)
  })
})

it('spans on the wire keep their numbers and ids', () => {
  const wire = JSON.parse(`[{
    "trace_id": "C6Ks766sure26hrRpps0tg==", "span_id": "0xAbCdEfGhI=", "parent_span_id": "28ySD9TluyA=", "name": "a",
    "start_time_unix_nano": "1795298513929757767", "end_time_unix_nano": "1795298513929757768",
    "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
    "attributes": [{"key": "span_id", "value": {"array_value": {"values": [{"int_value": "9007199254740993"}]}}}]
  }]`)
  expect(readWireSpans(wire)).toMatchObject([
    {
      ...{ span: 'd3101b09d11f1a12', parent: 'dbcc920fd4e5bb20', status: 'error' },
      ...{ start: '1795298513929757767', attributes: '{"span_id":[9007199254740993]}' },
    },
  ])
})

it('attachments are found where spans refer to them', () => {
  const id = '5462129c-e680-4adc-8602-667e96c664b4'
  const attributes = JSON.stringify({
    in: { image: `mlflow-attachment://${id}?size=3` },
    again: `mlflow-attachment://${id}`,
  })
  expect(attachmentsOf([{ ...readStoredSpan(JSON.stringify({ ...stored, span_id: '0x1' })), attributes }])).toEqual([
    id,
  ])
})
