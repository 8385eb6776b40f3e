import { defineErrors, failure } from '#platform/errors.ts'

export const inferenceErrors = defineErrors({
  inference_request_invalid: {
    status: 400,
    summary: 'The body is not an inference request of the Open Inference Protocol.',
    hint: 'Send `{"inputs": [{"name", "shape", "datatype", "data"}]}`; the tensors are listed at GET /v2/models/<endpoint>.',
  },
  tensor_malformed: {
    status: 400,
    summary: 'A tensor lacks its name, datatype, shape or data, or these are of another kind.',
    hint: 'Send each tensor as `{"name", "shape", "datatype", "data"}`.',
  },
  tensor_name_duplicate: { status: 400, summary: 'Two tensors have the same name.', hint: 'Send each tensor once.' },
  tensor_datatype_unknown: {
    status: 400,
    summary: 'The datatype of a tensor is none of the Open Inference Protocol.',
    hint: 'Use the datatypes that GET /v2/models/<endpoint> lists.',
  },
  tensor_datatype_not_in_json: {
    status: 400,
    summary: 'A tensor has a datatype that JSON cannot carry.',
    hint: 'Send and register such tensors as FP32.',
  },
  tensor_shape_invalid: {
    status: 400,
    summary: 'The shape of a tensor is not a list of whole numbers.',
    hint: 'Send one value for each row, in shape [rows] or [rows, 1].',
  },
  tensor_shape_mismatch: {
    status: 400,
    summary: 'The shape of a tensor does not fit the endpoint, its data, or the other tensors.',
    hint: 'Send one value for each row, in shape [rows] or [rows, 1], the same number of rows in every tensor.',
  },
  tensor_too_large: {
    status: 400,
    summary: 'The tensors have more elements than a request may have.',
    hint: 'Send the rows in several requests.',
  },
  tensor_value_invalid: {
    status: 400,
    summary: 'A value of a tensor is not one of its datatype.',
    hint: 'Mend the value named in the message; JSON has no NaN and no infinity.',
  },
  tensor_missing: {
    status: 400,
    summary: 'The request lacks a tensor that the endpoint needs.',
    hint: 'Send every tensor that GET /v2/models/<endpoint> lists.',
  },
  tensor_unexpected: {
    status: 400,
    summary: 'The request holds a tensor that the endpoint does not take, or one of another datatype.',
    hint: 'Use the names and datatypes that GET /v2/models/<endpoint> lists.',
  },
  too_many_rows: {
    status: 400,
    summary: 'The request has more rows than the endpoint takes at once.',
    hint: 'Send the rows in several requests.',
  },
  unsupported_encoding: {
    status: 415,
    summary: 'The body is encoded in a way that this node does not read.',
    hint: 'Send JSON, as it is or with Content-Encoding gzip or deflate, and binary_data false.',
  },
  method_not_allowed: {
    status: 405,
    summary: 'The path exists, but not for this method.',
    hint: 'Ask for metadata with GET and for predictions with POST.',
  },
  model_not_served: {
    status: 404,
    summary: 'This node serves no endpoint of that name in the workspace of the token.',
    hint: 'Check the name and the environment; a node knows the endpoints of one environment.',
  },
  version_not_served: {
    status: 404,
    summary: 'The endpoint does not serve that version.',
    hint: 'Leave the version out of the path to let the endpoint choose.',
  },
  endpoint_unavailable: {
    status: 503,
    summary: 'The endpoint is planned, but nothing that it needs could be loaded yet.',
    hint: "Retry shortly; the node's log and its status in the control plane say what is missing.",
  },
  queue_full: {
    status: 503,
    summary: 'More requests wait for this endpoint than it allows.',
    hint: 'Wait as long as Retry-After says, or add nodes.',
  },
  inference_timeout: {
    status: 504,
    summary: 'The prediction was not ready within the time limit of the endpoint.',
    hint: 'Retry with fewer rows, or raise limits.timeoutMs of the endpoint.',
  },
  model_failed: {
    status: 500,
    summary: 'The model could not compute a prediction from these inputs.',
    hint: "The message holds the runtime's reason; try the inputs against the version offline.",
  },
  prediction_not_finite: {
    status: 500,
    summary: 'The model answered NaN or infinity.',
    hint: 'Look at the features in the prediction record; the version should be rolled back if this goes on.',
  },
  features_unavailable: {
    status: 500,
    summary: 'The online features of the request could not be read.',
    hint: 'Check the online store of the node; set a fallback value for the endpoint to answer meanwhile.',
  },
  inference_port_in_use: {
    status: 500,
    summary: 'Another process listens on the port of the inference node.',
    hint: 'Stop that process, or choose another port with PAVE_INFERENCE_PORT.',
  },
  plan_refused: {
    status: 409,
    summary: 'A serving plan is unsigned, outdated, malformed or for another environment.',
    hint: 'Check that the node was enrolled in this environment and trusts the current plan key.',
  },
  join_token_malformed: {
    status: 400,
    summary: 'What was given is not a join token, or only a part of one.',
    hint: 'Copy the whole of what `pave create-join-token` shows; it begins with pave-join-.',
  },
  join_refused_impostor: {
    status: 403,
    summary: 'The server that answered is not the control plane that made the join token; it was told no secret.',
    hint: 'If the certificate or the plan key of the control plane was replaced, make a fresh token with `pave create-join-token`. If not, somebody is in between.',
  },
  join_unreachable: {
    status: 503,
    summary: 'No control plane that the join token names could be spoken to.',
    hint: 'Check the network and the addresses; `pave create-join-token --addresses` names others, and PAVE_NAMES at the control plane adds names to the certificate that it makes.',
  },
  join_environment_mismatch: {
    status: 409,
    summary: 'The join token or the enrolment is for another environment than the one that was asked for.',
    hint: 'Leave --environment out, or make a token for that environment with `pave create-join-token`.',
  },
  enrolment_unreadable: {
    status: 500,
    summary: 'The file with the credentials of the node is damaged.',
    hint: 'Remove the file, revoke the tokens of the node with `pave revoke-token`, and join again with a fresh join token.',
  },
  override_refused: {
    status: 409,
    summary: 'A local override is unsigned, malformed, or names a version that is not loaded here.',
    hint: 'Write it on this node with the key of the node, for a version that its plan lists.',
  },
  artifact_unavailable: {
    status: 503,
    summary: 'An artifact could not be fetched, or its bytes do not match its digest.',
    hint: 'Check the object store of the control plane with the digest in the message.',
  },
  version_unloadable: {
    status: 409,
    summary: 'A model version cannot be served as its signature and the endpoint say.',
    hint: 'Register a version whose graph, signature and features agree, and release that.',
  },
})

export const inferenceFailure = failure(inferenceErrors)
