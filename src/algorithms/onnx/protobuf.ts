/** Bytes that are no Protocol Buffers message. */
export class ProtobufError extends Error {}

export interface ProtobufField {
  number: number
  /** The value of a varint as a signed 64-bit number (exact to 2^53); 0 for any other wire type. */
  varint: number
  /** The content of a length-delimited field, as a view; undefined for any other wire type. */
  bytes: Uint8Array | undefined
}

/**
 * The fields of one message in order, without a schema and without copying. Nested messages are read by calling it
 * again on `bytes`. Fixed-width fields are passed over with no value; the deprecated groups are refused.
 *
 * @throws ProtobufError
 */
export function* readFields(message: Uint8Array): Generator<ProtobufField> {
  let offset = 0
  const varint = (): number => {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[offset++]
      if (byte === undefined) throw new ProtobufError(`a number is cut short at byte ${message.length}`)
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) return high * 2 ** 32 + (low >>> 0)
    }
    throw new ProtobufError(`a number before byte ${offset} has more than 10 bytes`)
  }
  const skip = (length: number): void => {
    if (length < 0 || length > message.length - offset) {
      throw new ProtobufError(
        `a field of ${length} bytes at byte ${offset} runs past the end (${message.length} bytes)`,
      )
    }
    offset += length
  }

  while (offset < message.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    if (number < 1 || number > 0x1fffffff) throw new ProtobufError(`field number ${number} before byte ${offset}`)
    const wireType = tag % 8
    if (wireType === 0) yield { number, varint: varint(), bytes: undefined }
    else if (wireType === 2) {
      const length = varint()
      const start = offset
      skip(length)
      yield { number, varint: 0, bytes: message.subarray(start, offset) }
    } else if (wireType === 1 || wireType === 5) {
      skip(wireType === 1 ? 8 : 4)
      yield { number, varint: 0, bytes: undefined }
    } else throw new ProtobufError(`wire type ${wireType} before byte ${offset}`)
  }
}
