import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import { PredictionRecord } from './contract.ts'
import { predictionsFailure } from './tables.ts'

// Formats go unchecked because zod prints each as a pattern too.
const ajv = new Ajv2020({ strict: false, validateFormats: false })
const isRecord = ajv.compile<PredictionRecord>(z.toJSONSchema(PredictionRecord, { io: 'input' }))

/** The records of a chunk; the first line that is none, or is another workspace's, is refused by its number. */
export function readChunk(lines: string, workspace: string): PredictionRecord[] {
  const texts = lines.split('\n')
  if (texts.pop() !== '') throw invalid(texts.length + 1, 'it does not end with a newline')
  return texts.map((text, index) => {
    const record = parse(text, index + 1)
    if (!isRecord(record)) {
      const [problem] = isRecord.errors ?? []
      throw invalid(index + 1, `${problem?.instancePath || 'the record'} ${problem?.message ?? 'is wrong'}`)
    }
    if (record.workspace !== workspace) throw invalid(index + 1, 'it belongs to another workspace than the token')
    return record
  })
}

function parse(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(line, 'it is not JSON')
  }
}

function invalid(line: number, why: string) {
  return predictionsFailure('prediction_record_invalid', `Line ${line} is not a prediction record: ${why}`, {
    details: { line },
  })
}
