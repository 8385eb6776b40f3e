/** A graph for tests: `score = features · weights + bias`, from FP32 [rows, weights] to FP32 [rows, 1]. */
export function linearModel(options: { weights: readonly number[]; bias?: number; input?: string; output?: string }) {
  const { weights, bias = 0, input = 'features', output = 'score' } = options
  const graph = message(
    [1, node('MatMul', [input, 'weights'], ['product'])],
    [1, node('Add', ['product', 'bias'], [output])],
    [2, 'linear'],
    [5, floats('weights', [weights.length, 1], weights)],
    [5, floats('bias', [1], [bias])],
    [11, value(input, ['rows', weights.length])],
    [12, value(output, ['rows', 1])],
  )
  return message([1, 8], [8, message([1, ''], [2, 17])], [7, graph])
}

function node(operator: string, inputs: string[], outputs: string[]): Buffer {
  const names = [...inputs.map((name) => [1, name] as const), ...outputs.map((name) => [2, name] as const)]
  return message(...names, [4, operator])
}

function floats(name: string, dims: number[], values: readonly number[]): Buffer {
  const raw = Buffer.from(Float32Array.from(values).buffer)
  return message(...dims.map((size) => [1, size] as const), [2, 1], [8, name], [9, raw])
}

function value(name: string, dims: (string | number)[]): Buffer {
  const shape = dims.map((size) => [1, message(typeof size === 'number' ? [1, size] : [2, size])] as const)
  return message([1, name], [2, message([1, message([1, 1], [2, message(...shape)])])])
}

/** The protobuf wire format: varints and length-delimited fields are all that these messages have. */
function message(...fields: (readonly [number, number | string | Buffer])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([field, content]) => {
      if (typeof content === 'number') return [varint(field * 8), varint(content)]
      const bytes = Buffer.from(content)
      return [varint(field * 8 + 2), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}
