import { OtlpError } from './otlp-span.ts'

const utf8 = new TextDecoder('utf-8')

/**
 * Walks one Protocol Buffers message field by field without copying or allocating. `next` moves to a field; the field's
 * content must then be taken or skipped. Whatever runs past the end is refused.
 */
export class ProtobufCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number
  #end: number
  field = 0
  #wireType = 0

  constructor(bytes: Uint8Array, from = 0, to = bytes.length, view?: DataView) {
    this.#bytes = bytes
    this.#view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = from
    this.#end = to
  }

  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#small()
    this.field = tag >>> 3
    this.#wireType = tag & 7
    if (this.field === 0) throw new OtlpError(`a field without a number before byte ${this.#at}`)
    return true
  }

  skip(): void {
    if (this.#wireType === 0) this.#varint()
    else if (this.#wireType === 1) this.#advance(8)
    else if (this.#wireType === 2) this.#advance(this.#small())
    else if (this.#wireType === 5) this.#advance(4)
    else throw new OtlpError(`wire type ${this.#wireType} before byte ${this.#at}`)
  }

  message(): ProtobufCursor {
    const start = this.#lengthDelimited()
    return new ProtobufCursor(this.#bytes, start, this.#at, this.#view)
  }

  text(): string {
    const start = this.#lengthDelimited()
    return utf8.decode(this.#bytes.subarray(start, this.#at))
  }

  bytes(): Uint8Array {
    const start = this.#lengthDelimited()
    return this.#bytes.subarray(start, this.#at)
  }

  /** An enum or boolean. */
  number(): number {
    this.#require(0)
    return Number(BigInt.asIntN(32, this.#varint()))
  }

  int64(): bigint {
    this.#require(0)
    return BigInt.asIntN(64, this.#varint())
  }

  fixed64(): bigint {
    this.#require(1)
    return this.#view.getBigUint64(this.#advance(8), true)
  }

  double(): number {
    this.#require(1)
    return this.#view.getFloat64(this.#advance(8), true)
  }

  #lengthDelimited(): number {
    this.#require(2)
    return this.#advance(this.#small())
  }

  #require(wireType: number): void {
    if (this.#wireType !== wireType)
      throw new OtlpError(`field ${this.field} is of another type before byte ${this.#at}`)
  }

  /** Moves on, and answers where it was. */
  #advance(length: number): number {
    const start = this.#at
    if (length > this.#end - start) throw new OtlpError(`a field of ${length} bytes runs past byte ${this.#end}`)
    this.#at = start + length
    return start
  }

  /** A tag or length: it fits 31 bits, or it is refused. */
  #small(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0x7fffffff) break
        return value
      }
    }
    throw new OtlpError(`a length or tag before byte ${this.#at} is too large`)
  }

  #varint(): bigint {
    let low = 0
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.#byte()
      low += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new OtlpError(`a number before byte ${this.#at} has more than 10 bytes`)
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at++] : undefined
    if (byte === undefined) throw new OtlpError(`a number is cut short at byte ${this.#end}`)
    return byte
  }
}
