export function TrackingRunPage() {
  return null
}
