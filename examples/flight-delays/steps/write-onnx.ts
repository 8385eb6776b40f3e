/**
 * Boosted trees as an ONNX graph: one `TreeEnsembleRegressor` (ai.onnx.ml) gives the log-odds, `Sigmoid` the probability.
 * The field numbers are those of onnx.proto3, version 1.16.
 */
import type { BoostedTrees } from './boosted-trees.ts'

export const signature = (features: number) => ({
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, features] }],
  outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 1] }],
})

/** The bytes of the model; the same trees give the same bytes. */
export function writeOnnx(model: BoostedTrees, name: string): Uint8Array {
  const features = model.featureNames.length
  const graph = concat([
    message(1, treeEnsemble(model)),
    message(1, node('Sigmoid', 'log_odds', 'probability', '', [])),
    text(2, name),
    text(10, `Inputs in this order: ${model.featureNames.join(', ')}. NaN is a missing value.`),
    message(11, tensorInfo('features', features, model.featureNames.join(', '))),
    message(12, tensorInfo('probability', 1, 'Probability of the label being 1')),
  ])
  return concat([
    integer(1, 8), // the intermediate representation that goes with operator set 17
    text(2, name),
    message(7, graph),
    message(8, concat([text(1, ''), integer(2, 17)])),
    message(8, concat([text(1, 'ai.onnx.ml'), integer(2, 3)])),
    message(14, concat([text(1, 'feature_names'), text(2, JSON.stringify(model.featureNames))])),
  ])
}

function treeEnsemble(model: BoostedTrees): Uint8Array {
  const nodes = model.trees.flatMap((tree, treeId) =>
    tree.feature.map((feature, nodeId) => ({
      treeId,
      nodeId,
      leaf: feature < 0,
      feature: Math.max(feature, 0),
      threshold: tree.threshold[nodeId] ?? 0,
      left: tree.left[nodeId] ?? 0,
      right: tree.right[nodeId] ?? 0,
      missingLeft: tree.missingLeft[nodeId] === true,
      value: tree.value[nodeId] ?? 0,
    })),
  )
  const leaves = nodes.filter((item) => item.leaf)
  return node('TreeEnsembleRegressor', 'features', 'log_odds', 'ai.onnx.ml', [
    stringAttribute('aggregate_function', 'SUM'),
    // onnxruntime ignores LOGISTIC here for regressors, hence the Sigmoid node.
    stringAttribute('post_transform', 'NONE'),
    integerAttribute('n_targets', 1),
    ...integersAttributes({
      nodes_treeids: nodes.map((item) => item.treeId),
      nodes_nodeids: nodes.map((item) => item.nodeId),
      nodes_featureids: nodes.map((item) => item.feature),
      nodes_truenodeids: nodes.map((item) => item.left),
      nodes_falsenodeids: nodes.map((item) => item.right),
      nodes_missing_value_tracks_true: nodes.map((item) => (item.missingLeft ? 1 : 0)),
      target_treeids: leaves.map((item) => item.treeId),
      target_nodeids: leaves.map((item) => item.nodeId),
      target_ids: leaves.map(() => 0),
    }),
    ...floatsAttributes({
      base_values: [model.base],
      nodes_values: nodes.map((item) => item.threshold),
      target_weights: leaves.map((item) => item.value),
    }),
    ...stringsAttributes({ nodes_modes: nodes.map((item) => (item.leaf ? 'LEAF' : 'BRANCH_LEQ')) }),
  ])
}

function node(operator: string, input: string, output: string, domain: string, attributes: Uint8Array[]): Uint8Array {
  return concat([
    text(1, input),
    text(2, output),
    text(3, operator),
    text(4, operator),
    ...attributes.map((attribute) => message(5, attribute)),
    text(7, domain),
  ])
}

/** A 32-bit float tensor of any number of rows. */
function tensorInfo(name: string, columns: number, description: string): Uint8Array {
  const shape = concat([message(1, text(2, 'rows')), message(1, integer(1, columns))])
  const tensor = concat([integer(1, 1), message(2, shape)])
  return concat([text(1, name), message(2, message(1, tensor)), text(3, description)])
}

function integerAttribute(name: string, value: number): Uint8Array {
  return concat([text(1, name), integer(3, value), integer(20, 2)])
}

function stringAttribute(name: string, value: string): Uint8Array {
  return concat([text(1, name), text(4, value), integer(20, 3)])
}

function floatsAttributes(attributes: Record<string, number[]>): Uint8Array[] {
  return Object.entries(attributes).map(([name, values]) => {
    const packed = new DataView(new ArrayBuffer(values.length * 4))
    for (const [index, value] of values.entries()) packed.setFloat32(index * 4, value, true)
    return concat([text(1, name), message(7, new Uint8Array(packed.buffer)), integer(20, 6)])
  })
}

function integersAttributes(attributes: Record<string, number[]>): Uint8Array[] {
  return Object.entries(attributes).map(([name, values]) =>
    concat([text(1, name), message(8, Uint8Array.from(values.flatMap(varint))), integer(20, 7)]),
  )
}

function stringsAttributes(attributes: Record<string, string[]>): Uint8Array[] {
  return Object.entries(attributes).map(([name, values]) =>
    concat([text(1, name), ...values.map((value) => text(9, value)), integer(20, 8)]),
  )
}

function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value))
}

function message(field: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
}

function integer(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8), ...varint(value)])
}

/** Seven bits per byte, lowest first; for integers from 0 to 2^53. */
function varint(value: number): number[] {
  const bytes = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return bytes
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
