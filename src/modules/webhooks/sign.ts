import { createHmac } from 'node:crypto'

/** What MLflow's receivers check: the HMAC of what they are told and when, so that nobody else can say or repeat it. */
export function signedHeaders(
  message: { delivery: string; body: string; secret: string | null },
  now: number,
): Record<string, string> {
  const { delivery, body, secret } = message
  const timestamp = String(Math.floor(now / 1000))
  const headers = { 'x-mlflow-delivery-id': delivery, 'x-mlflow-timestamp': timestamp }
  if (secret === null) return headers
  const signature = createHmac('sha256', secret).update(`${delivery}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'x-mlflow-signature': `v1,${signature}` }
}
