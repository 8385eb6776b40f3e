export function MonitorsPage() {
  return null
}
