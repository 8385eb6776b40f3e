import fc from 'fast-check'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { signatureOf } from '../tensors/signature.ts'
import { ProtobufError, readFields } from './protobuf.ts'
import { OnnxError, onnxLimits, readGraph } from './read-graph.ts'

function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}

/** A protobuf field: numbers as varints, texts and nested messages length-delimited. */
function field(number: number, value: number | bigint | string | readonly number[]): number[] {
  if (typeof value === 'number' || typeof value === 'bigint')
    return [...varint(BigInt(number * 8)), ...varint(BigInt(value))]
  const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value
  return [...varint(BigInt(number * 8 + 2)), ...varint(BigInt(bytes.length)), ...bytes]
}

const opset = (version: number, domain = '') => field(8, [...field(1, domain), ...field(2, version)])
const node = (type: string, inputs: string[], outputs: string[], more: number[] = []) =>
  field(1, [
    ...inputs.flatMap((name) => field(1, name)),
    ...outputs.flatMap((name) => field(2, name)),
    ...field(4, type),
    ...more,
  ])
const dimension = (size: number | string) => field(1, typeof size === 'string' ? field(2, size) : field(1, size))
const tensorType = (type: number, shape: (number | string)[]) =>
  field(2, field(1, [...field(1, type), ...field(2, shape.flatMap(dimension))]))
const input = (name: string, type: number[]) => field(11, [...field(1, name), ...type])
const output = (name: string, type: number[]) => field(12, [...field(1, name), ...type])
const floats = (...values: number[]) => [...new Uint8Array(Float32Array.from(values).buffer)]
const tensor = (name: string, dims: number[], raw: number[], more: number[] = []) => [
  ...dims.flatMap((size) => field(1, size)),
  ...field(2, 1),
  ...field(8, name),
  ...field(9, raw),
  ...more,
]
const model = (graph: number[], more: number[] = opset(13)) =>
  Uint8Array.from([...field(1, 8), ...field(2, 'hand'), ...field(3, '1.0'), ...field(7, graph), ...more])

/** scaled = x · scale, where `scale` is an initializer that is also listed as an input. */
const scaling = model(
  [
    ...node('Mul', ['x', 'scale'], ['scaled']),
    ...field(2, 'scaling'),
    ...field(5, tensor('scale', [3], floats(1, 2, 3))),
    ...input('x', tensorType(1, ['rows', 3])),
    ...input('scale', tensorType(1, [3])),
    ...output('scaled', tensorType(1, ['rows', 3])),
  ],
  [...opset(13), ...opset(3, 'ai.onnx.ml'), ...field(14, [...field(1, 'owner'), ...field(2, 'flights')])],
)

function messageOf(bytes: Uint8Array): string {
  try {
    readGraph(bytes)
  } catch (error) {
    if (error instanceof OnnxError) return error.message
    throw error
  }
  return 'read'
}

describe('reading a model', () => {
  it('tells what it says about itself', () => {
    const graph = readGraph(scaling)
    expect(graph).toEqual({
      irVersion: 8,
      producer: 'hand',
      producerVersion: '1.0',
      opsets: [
        { domain: '', version: 13 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      inputs: [{ name: 'x', kind: 'tensor', datatype: 'FP32', shape: [-1, 3] }],
      outputs: [{ name: 'scaled', kind: 'tensor', datatype: 'FP32', shape: [-1, 3] }],
      operators: [{ domain: '', type: 'Mul', count: 1 }],
      metadata: { owner: 'flights' },
    })
    expect(signatureOf(graph).inputs).toEqual([{ name: 'x', datatype: 'FP32', shape: [-1, 3] }])
  })

  it('reads what ONNX Runtime runs', async () => {
    const session = await InferenceSession.create(scaling, { intraOpNumThreads: 1, logSeverityLevel: 3 })
    const { scaled } = await session.run({ x: new Tensor('float32', [1, 1, 1, 10, 10, 10], [2, 3]) })
    expect(scaled?.data).toEqual(Float32Array.of(1, 2, 3, 10, 20, 30))
    expect(session.inputNames).toEqual(readGraph(scaling).inputs.map(({ name }) => name))
    await session.release()
  })

  it('counts the operators of subgraphs and functions, by domain', () => {
    const branch = [...node('Relu', ['a'], ['b']), ...output('b', tensorType(1, []))]
    const graph = [
      ...node('If', ['c'], ['d'], field(5, [...field(1, 'then_branch'), ...field(6, branch)])),
      ...node('Relu', ['x'], ['c'], field(7, 'ai.onnx')),
      ...node('TreeEnsembleRegressor', ['x'], ['y'], field(7, 'ai.onnx.ml')),
      ...output('d', tensorType(1, [])),
    ]
    const withFunction = model(graph, [
      ...opset(13),
      ...field(25, [...field(1, 'f'), ...field(7, node('Neg', [], []).slice(2))]),
    ])
    expect(readGraph(withFunction).operators).toEqual([
      { domain: '', type: 'If', count: 1 },
      { domain: '', type: 'Neg', count: 1 },
      { domain: '', type: 'Relu', count: 2 },
      { domain: 'ai.onnx.ml', type: 'TreeEnsembleRegressor', count: 1 },
    ])
  })

  it('states types that the protocol has no name for', () => {
    const graph = readGraph(
      model([
        ...input('z', tensorType(14, [1])),
        ...input('open', field(2, field(1, field(1, 7)))),
        ...output('probabilities', field(2, field(4, field(1, field(5, []))))),
      ]),
    )
    expect(graph.inputs).toEqual([
      { name: 'z', kind: 'tensor', datatype: null, shape: [1] },
      { name: 'open', kind: 'tensor', datatype: 'INT64', shape: null },
    ])
    expect(graph.outputs).toEqual([{ name: 'probabilities', kind: 'sequence', datatype: null, shape: null }])
  })
})

describe('refusing', () => {
  const y = output('y', tensorType(1, [1]))
  const entry = (key: string, value: string) => field(13, [...field(1, key), ...field(2, value)])

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /no IR version/],
    ['text', new TextEncoder().encode('{"model": "flights"}'), /no ONNX model/],
    ['a pickle', Uint8Array.of(0x80, 0x04, 0x95, 0, 0), /Python pickle/],
    ['a zip archive', Uint8Array.of(0x50, 0x4b, 3, 4, 0), /zip archive/],
    ['no graph', Uint8Array.from([...field(1, 8), ...opset(13)]), /has no graph/],
    ['two graphs', Uint8Array.from([...model(y), ...field(7, y)]), /more than one graph/],
    ['no operator set', model(y, []), /imports no operator set/],
    ['no output', model(input('x', tensorType(1, [1]))), /has no output/],
    ['a node without a type', model([...field(1, field(1, 'x')), ...y]), /no operator type/],
    ['a name that is no text', model([...y, ...field(1, field(4, [0xff, 0xfe]))]), /not UTF-8/],
    ['a very long name', model([...y, ...node('x'.repeat(onnxLimits.nameBytes + 1), [], [])]), /more than 4096 bytes/],
    [
      'external data',
      model([...y, ...field(5, tensor('w', [1], [], [...entry('location', '../weights.bin'), ...field(14, 1)]))]),
      /The tensor w keeps its data in \.\.\/weights\.bin; save the model as one file/,
    ],
    [
      'external data inside a node',
      model([
        ...y,
        ...node('Constant', [], ['w'], field(5, field(5, tensor('', [1], [], entry('location', 'w.bin'))))),
      ]),
      /w\.bin/,
    ],
    [
      'too many inputs',
      model([...y, ...Array.from({ length: onnxLimits.tensors }, (_, i) => input(`x${i}`, [])).flat()]),
      /more than 1000/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(messageOf(bytes)).toMatch(message)
  })

  it('subgraphs without end', () => {
    let graph = y
    for (let depth = 0; depth < 20; depth++) graph = [...node('If', [], [], field(5, field(6, graph))), ...y]
    expect(messageOf(model(graph))).toMatch(/deeper than 16/)
  })

  it('any model cut short', () => {
    const shortest = scaling.length - field(14, [...field(1, 'owner'), ...field(2, 'flights')]).length
    for (let length = 0; length < scaling.length; length++) {
      const message = messageOf(scaling.subarray(0, length))
      const boundary = length === shortest || length === shortest - opset(3, 'ai.onnx.ml').length
      expect(message === 'read', `${length} bytes: ${message}`).toBe(boundary)
    }
  })

  it('any bytes with an OnnxError and no other', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void messageOf(bytes)))
    fc.assert(
      fc.property(fc.nat(scaling.length - 1), fc.nat(255), (at, byte) => {
        const damaged = scaling.slice()
        damaged[at] = byte
        messageOf(damaged)
      }),
      { numRuns: 500 },
    )
  })
})

describe('protobuf', () => {
  it('reads varints of any length with their sign', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }), (value) => {
        expect([...readFields(Uint8Array.from(field(5, value)))]).toEqual([
          { number: 5, varint: Number(value), bytes: undefined },
        ])
      }),
    )
  })

  it('passes over fixed-width fields and refuses groups', () => {
    const fixed = [...varint(9n), 0, 0, 0, 0, 0, 0, 0, 0, ...varint(21n), 0, 0, 0, 0, ...field(3, 7)]
    expect([...readFields(Uint8Array.from(fixed))].map(({ number }) => number)).toEqual([1, 2, 3])
    expect(() => [...readFields(Uint8Array.of(0x0b))]).toThrow(ProtobufError)
    expect(() => [...readFields(new Uint8Array(11).fill(0xff))]).toThrow('more than 10 bytes')
  })
})
